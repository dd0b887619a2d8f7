"""Other people's client libraries of Keycloak, driving a server over sockets by small programs of our own.

A program gets KEYCLOAK_URL (without a slash at its end), KEYCLOAK_USERNAME and KEYCLOAK_PASSWORD of an administrator of
the realm master, and KEYCLOAK_CA where the URL is https. It makes realms of its own and deletes them, prints what goes
wrong, and ends with a status other than 0 then.
"""

from clients.program import Program

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
)
