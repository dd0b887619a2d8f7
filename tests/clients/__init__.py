"""Other people's client libraries of Keycloak, driving a server over sockets by small programs of our own.

A program gets KEYCLOAK_URL (without a slash at its end), KEYCLOAK_USERNAME and KEYCLOAK_PASSWORD of an administrator of
the realm master, and KEYCLOAK_CA (the same as NODE_EXTRA_CA_CERTS) where the URL is https. Where clients can show
certificates, at mtls_endpoint_aliases, there are KEYCLOAK_ISSUED_CERTIFICATE (CN=issued,O=Acme) and
KEYCLOAK_OWN_CERTIFICATE, which is self-signed, and KEYCLOAK_ISSUED_KEY and KEYCLOAK_OWN_KEY: files in PEM. It makes
realms of its own and deletes them, prints what goes wrong, and ends with a status other than 0 then.
"""

from clients.program import Program

_MAVEN_INSTALL = ("mvn -q -B -f {here}/java/pom.xml dependency:copy-dependencies -DoutputDirectory={installed}",)


def _npm(folder: str) -> tuple[str, ...]:
    """Installs the packages of a program's ``package.json`` elsewhere than beside the program."""
    return (f"cp {{here}}/{folder}/package.json {{installed}}", "npm install --silent --prefix {installed}")


PROGRAMS = (
    Program(
        name="python",
        about="python-keycloak, synchronous and asynchronous",
        needs=(),
        install=(
            "{python} -m venv {installed}",
            "{installed}/bin/pip install -q -r {here}/python_keycloak/requirements.txt",
        ),
        run="{installed}/bin/python {here}/python_keycloak/administer.py",
    ),
    Program(
        name="go",
        about="gocloak",
        needs=("go",),
        install=("go build -C {here}/gocloak -o {installed}/administer .",),
        run="{installed}/administer",
    ),
    Program(
        name="js",
        about="@keycloak/keycloak-admin-client",
        needs=("node", "npm"),
        install=_npm("keycloak_admin_client_js"),
        run="node {here}/keycloak_admin_client_js/administer.js {installed}",
    ),
    Program(
        name="java",
        about="org.keycloak:keycloak-admin-client",
        needs=("java", "mvn"),
        install=_MAVEN_INSTALL,
        run="java -cp {installed}/* {here}/java/Administer.java",
    ),
    Program(
        name="node-tokens",
        about="openid-client, oauth4webapi, jose, jsonwebtoken with jwks-rsa",
        needs=("node", "npm"),
        install=_npm("node_tokens"),
        run="node {here}/node_tokens/tokens.js {installed}",
    ),
    Program(
        name="go-tokens",
        about="golang.org/x/oauth2",
        needs=("go",),
        install=("go build -C {here}/oauth2_go -o {installed}/tokens .",),
        run="{installed}/tokens",
    ),
    Program(
        name="spring",
        about="Spring Security's OAuth 2.0 client and resource server",
        needs=("java", "mvn"),
        install=_MAVEN_INSTALL,
        run="java -cp {installed}/* {here}/java/Tokens.java",
    ),
    Program(
        name="python-tokens",
        about="Authlib, requests_oauth2client",
        needs=(),
        install=(
            "{python} -m venv {installed}",
            "{installed}/bin/pip install -q -r {here}/python_tokens/requirements.txt",
        ),
        run="{installed}/bin/python {here}/python_tokens/tokens.py",
    ),
)
