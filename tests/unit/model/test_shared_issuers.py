"""Rules over the tokens of issuers that sign for strangers, too."""

import pytest

from keyturn.model.claim_rules import InvalidRule
from keyturn.model.shared_issuers import SHARED, check_shared

GITLAB, TERRAFORM, BUILDKITE, GOOGLE = (
    "https://gitlab.com",
    "https://app.terraform.io",
    "https://agent.buildkite.com",
    "https://accounts.google.com",
)


def accepts(issuer: str, claims: dict[str, list[str]]) -> bool:
    try:
        check_shared(issuer, claims)
    except InvalidRule:
        return False
    return True


@pytest.mark.parametrize(
    ("issuer", "claims", "accepted"),
    [
        (GITLAB, {"ref": ["main"], "ref_protected": ["true"]}, False),
        (GITLAB, {"sub": ["project_path:*/web:ref_type:branch:ref:main"]}, False),
        (GITLAB, {"sub": ["project_path:shop*/web:ref_type:branch:ref:main"]}, False),
        (GITLAB, {"sub": ["project_path:shop/*:ref_type:branch:ref:main"]}, True),
        (GITLAB, {"sub": ["project_path:shop/*:**", "project_path:**"]}, False),
        (GITLAB, {"project_path": ["shop/**"], "ref": ["main"]}, True),
        (GITLAB, {"namespace_path": ["shop"]}, True),
        (GITLAB, {"namespace_id": ["72"]}, True),
        (GITLAB, {"namespace_id": ["7*"]}, False),
        (TERRAFORM, {"sub": ["organization:*:project:shop:workspace:live:run_phase:apply"]}, False),
        (TERRAFORM, {"sub": ["organization:acme:**"]}, True),
        (TERRAFORM, {"terraform_workspace_name": ["live"]}, False),
        (TERRAFORM, {"terraform_organization_id": ["org-1"], "terraform_run_phase": ["apply"]}, True),
        (BUILDKITE, {"pipeline_slug": ["deploy"]}, False),
        (BUILDKITE, {"organization_slug": ["acme"], "build_branch": ["main"]}, True),
        (GOOGLE, {"email_verified": ["true"]}, False),
        (GOOGLE, {"email": ["deploy@*.iam.gserviceaccount.com"]}, False),
        (GOOGLE, {"email": ["*@acme.iam.gserviceaccount.com"]}, True),
        (GOOGLE, {"email": ["**"]}, False),
        (GOOGLE, {"sub": ["1152*"]}, False),
        (GOOGLE, {"sub": ["115231"]}, True),
        ("https://token.actions.githubusercontent.com/acme", {"environment": ["live"]}, False),
        ("https://token.actions.githubusercontent.com.example.org", {"environment": ["live"]}, True),
        ("https://gitlab.example.org", {"ref": ["main"]}, True),
        ("https://oidc.circleci.com/org/6f7a", {"oidc.circleci.com/project-id": ["x"]}, True),
    ],
)
def test_a_rule_names_whose_tokens_it_means(issuer: str, claims: dict[str, list[str]], accepted: bool) -> None:
    assert accepts(issuer, claims) is accepted


@pytest.mark.parametrize("issuer", [shared.issuer for shared in SHARED])
def test_each_shared_issuer_says_by_what(issuer: str) -> None:
    with pytest.raises(InvalidRule, match="signs for everybody: a rule names the owner, without a wildcard, by one of"):
        check_shared(issuer, {"made_up": ["x"]})
