"""Issuers that sign for all customers of a provider alike: there, a rule over claims has to say whose tokens it means.

Those whose address names the customer are none of these: CircleCI's and Bitbucket's, a cluster's of EKS, GKE or AKS, an
Azure tenant's, a GitLab, GitHub Enterprise or Terraform Enterprise of one's own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from keyturn.model.claim_rules import InvalidRule

GITHUB_ISSUER: Final = "https://token.actions.githubusercontent.com"
"""That of the jobs of everybody at GitHub."""


@dataclass(frozen=True, slots=True)
class SharedIssuer:
    """One such issuer, as its `source` describes its tokens.

    Args:
        exact: claims that each name the customer, where no pattern has a wildcard.
        begins: by claim, what a pattern has to begin with to name the customer.
        with_paths: an address below it is one of it, too.
    """

    issuer: str
    name: str
    source: str
    exact: tuple[str, ...]
    begins: Mapping[str, str] = field(default_factory=dict)
    with_paths: bool = False


_GITHUB: Final = SharedIssuer(
    GITHUB_ISSUER,
    "GitHub",
    "https://docs.github.com/en/actions/reference/security/oidc",
    exact=("repository_id", "repository_owner", "repository_owner_id", "enterprise", "enterprise_id"),
    begins={"sub": r"(?:repo:)?[^*:/]+/", "repository": r"[^*:/]+/"},
    with_paths=True,
)
SHARED: Final = (
    _GITHUB,
    SharedIssuer(
        "https://gitlab.com",
        "GitLab",
        "https://docs.gitlab.com/ci/secrets/id_token_authentication/",
        exact=("project_id", "namespace_id", "namespace_path"),
        begins={"sub": r"project_path:[^*:/]+/", "project_path": r"[^*:/]+/", "namespace_path": r"[^*:/]+/"},
    ),
    SharedIssuer(
        "https://app.terraform.io",
        "HCP Terraform",
        "https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens",
        exact=(
            "terraform_organization_id",
            "terraform_organization_name",
            "terraform_project_id",
            "terraform_workspace_id",
        ),
        begins={"sub": r"organization:[^*:]+:"},
    ),
    SharedIssuer(
        "https://agent.buildkite.com",
        "Buildkite",
        "https://buildkite.com/docs/apis/workload-identity-federation/buildkite-agents",
        exact=("organization_id", "organization_slug", "pipeline_id"),
        begins={"sub": r"organization:[^*:]+:"},
    ),
    SharedIssuer(
        "https://oidc.codefresh.io",
        "Codefresh",
        "https://codefresh.io/docs/docs/integrations/oidc-pipelines/",
        exact=("account_id", "pipeline_id"),
        begins={"sub": r"account:[^*:]+:"},
    ),
    SharedIssuer(
        "https://oidc.vercel.com",
        "Vercel",
        "https://vercel.com/docs/oidc/reference",
        exact=("owner", "owner_id", "project_id"),
        begins={"sub": r"owner:[^*:]+:"},
    ),
    SharedIssuer(
        "https://accounts.google.com",
        "Google",
        "https://cloud.google.com/compute/docs/instances/verifying-instance-identity",
        exact=(
            "sub",
            "email",
            "hd",
            "google/compute_engine/project_id",
            "google/compute_engine/project_number",
        ),
        begins={"email": r"\*{1,2}@[^*@]+$"},
    ),
)


def check_shared(issuer: str, claims: Mapping[str, list[str]]) -> None:
    """That a rule over the tokens of `issuer` says whose they are, if it signs for strangers, too.

    Raises:
        InvalidRule: it does not.
    """
    shared = next((each for each in SHARED if _is_of(issuer, each)), None)
    if shared is None or any(_names(shared, claim, patterns) for claim, patterns in claims.items()):
        return
    known = ", ".join(dict.fromkeys((*shared.begins, *shared.exact)))
    raise InvalidRule(
        f"{shared.name} signs for everybody: a rule names the owner, without a wildcard, by one of {known}"
    )


def _is_of(issuer: str, shared: SharedIssuer) -> bool:
    return issuer == shared.issuer or (shared.with_paths and issuer.startswith(f"{shared.issuer}/"))


def _names(shared: SharedIssuer, claim: str, patterns: list[str]) -> bool:
    """Whether all `patterns` of the claim name a customer."""
    if claim in shared.exact and all("*" not in pattern for pattern in patterns):
        return True
    begin = shared.begins.get(claim)
    return begin is not None and all(re.match(begin, pattern) for pattern in patterns)
