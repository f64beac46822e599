"""`status` while the Docker host is off and the specs are broken: what is known, and what stands in the way."""

from recorded import facts, part

from dusty_tasks.verbs import status

status.show(
    facts(
        [part(name, "off", since="") for name in ("board", "quotes")],
        docker_host={"name": "the VM dusty", "answers": False, "state": "off", "trouble": "the VM dusty is off"},
        problems='apps/board.yml:3:1: D011: unknown key "iamge"\n    hint: did you mean "image"?\n1 problem in 1 file',
    )
)
