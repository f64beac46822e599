"""What builders print: which step begins, and which failed with which last lines. The texts are those of real builders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.of_verbs.build_output import KEPT, BuildOutput, failure_text

BUILDKIT = """\
#0 building with "default" instance using docker driver

#1 [web internal] load build definition from Dockerfile
#1 transferring dockerfile: 158B done
#1 DONE 0.0s

#4 [web 1/3] FROM docker.io/library/busybox:1
#4 DONE 0.0s

#5 [web 2/3] RUN echo one
#5 CACHED

#6 [web 3/3] RUN make all
#6 0.246 one
#6 0.247 10%\r20%\r30%
#6 ...

#7 [db 2/2] RUN sleep 9
#7 0.3 still at work

#6 [web 3/3] RUN make all
#6 0.248 /bin/sh: make: not found
#6 ERROR: executor failed running [/bin/sh -c make all]: exit code: 127

#7 CANCELED
------
 > [web 3/3] RUN make all:
0.246 one
------
failed to solve: executor failed running [/bin/sh -c make all]: exit code: 127
"""
BUILDKIT_OF_ONE_IMAGE = """\
#7 [stage-1 2/4] RUN npm ci
#7 1.204 npm error code ENOENT
#7 ERROR: process "/bin/sh -c npm ci" did not complete successfully: exit code: 254
Dockerfile:3
--------------------
   3 | >>> RUN npm ci
--------------------
"""
CLASSIC = """\
DEPRECATED: The legacy builder is deprecated and will be removed in a future release.

Sending build context to Docker daemon  2.048kB
Step 1/3 : FROM busybox:1
 ---> 0123456789ab
Step 2/3 : RUN echo fine
 ---> Running in 0123456789ab
fine
Removing intermediate container 0123456789ab
Step 3/3 : RUN make
 ---> Running in 0123456789ab
/bin/sh: make: not found
The command '/bin/sh -c make' returned a non-zero code: 127
"""


def read(text: str) -> tuple[BuildOutput, list[str]]:
    output = BuildOutput()
    begun = [output.read(line) for line in text.split("\n")]
    return output, [str(step) for step in begun if step]


@pytest.mark.parametrize(
    ("text", "steps", "failure"),
    [
        (
            BUILDKIT,
            [
                "web step 1 of 3: FROM docker.io/library/busybox:1",
                "web step 2 of 3: RUN echo one",
                "web step 3 of 3: RUN make all",
                "db step 2 of 2: RUN sleep 9",
            ],
            "web step 3 of 3: RUN make all exited with status 127; its last lines:\n    one\n    30%\n    /bin/sh: make: not found",
        ),
        (
            BUILDKIT_OF_ONE_IMAGE,
            ["stage-1 step 2 of 4: RUN npm ci"],
            "stage-1 step 2 of 4: RUN npm ci exited with status 254; its last lines:\n    npm error code ENOENT",
        ),
        (
            CLASSIC,
            ["step 1 of 3: FROM busybox:1", "step 2 of 3: RUN echo fine", "step 3 of 3: RUN make"],
            "step 3 of 3: RUN make exited with status 127; its last lines:\n    /bin/sh: make: not found",
        ),
        (
            "#4 [web 2/2] RUN false\n#4 ERROR: exit code: 1\n",
            ["web step 2 of 2: RUN false"],
            "web step 2 of 2: RUN false exited with status 1, and it printed nothing",
        ),
        (
            "#3 [web internal] load metadata for docker.io/library/nosuch:9\n#3 ERROR: docker.io/library/nosuch:9: not found\n",
            [],
            "load metadata for docker.io/library/nosuch:9 failed: docker.io/library/nosuch:9: not found",
        ),
        (
            '#4 [web 2/2] COPY nosuch /\n#4 ERROR: "/nosuch": not found\n',
            ["web step 2 of 2: COPY nosuch /"],
            'web step 2 of 2: COPY nosuch / failed: "/nosuch": not found',
        ),
    ],
    ids=["BuildKit", "BuildKit of one image", "the former builder", "silent", "no such image", "no such file"],
)
def test_steps_and_the_failed_one(text: str, steps: list[str], failure: str) -> None:
    output, begun = read(text)
    failed = output.failed()
    assert begun == steps and failed and failure_text(failed) == failure


def test_the_former_builders_last_words_may_be_read_before_the_step_that_they_are_about() -> None:
    *lines, last_words = CLASSIC.splitlines()
    for place in range(len(lines) + 1):
        failed = read("\n".join([*lines[:place], last_words, *lines[place:]]))[0].failed()
        assert (
            failed
            and failure_text(failed)
            == "step 3 of 3: RUN make exited with status 127; its last lines:\n    /bin/sh: make: not found"
        )


def test_the_last_lines_are_bounded() -> None:
    output, _ = read(
        "#1 [1/1] RUN x\n" + "".join(f"#1 0.1 line {number}\n" for number in range(100)) + "#1 ERROR: exit code: 2\n"
    )
    failed = output.failed()
    assert failed and failed.last_lines == tuple(f"line {number}" for number in range(100 - KEPT, 100))


@pytest.mark.parametrize(
    "text", ["", "no configuration file provided: not found", "#5 [web 2/3] RUN x\n#5 ERROR: context canceled\n"]
)
def test_a_builder_that_gave_up_otherwise_names_no_step(text: str) -> None:
    assert read(text)[0].failed() is None


@given(
    st.lists(
        st.sampled_from(BUILDKIT.splitlines() + CLASSIC.splitlines())
        | st.text(alphabet=st.characters(exclude_characters="\n"))
    )
)
def test_any_lines_are_read(lines: list[str]) -> None:
    failed = read("\n".join(lines))[0].failed()
    assert failed is None or (failure_text(failed) and len(failed.last_lines) <= KEPT)
