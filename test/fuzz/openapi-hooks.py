"""Schemathesis hooks: every other request that fits the document is for a repository that the token may push to."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive or len(repr(case.body)) % 2 == 0:
        return
    for members in (case.body, case.query):
        if isinstance(members, dict) and "repositoryName" in members:
            members["repositoryName"] = "team-a/app"
