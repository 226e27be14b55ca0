"""GitHub's API over the pull requests of a `Forge`, as the real `gh` asks it, and its repository
over HTTP: `gh` and git take this for their proxy, and github.localhost for a host without TLS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from servers import Cgi, Served

_PAGE = {"hasNextPage": False, "endCursor": ""}
HOST = "github.localhost"


class GitHubFlow(Served):
    """What is asked for by name is answered whole: `gh` takes what it wants of it."""

    def __init__(self, forge: Any, environ: Mapping[str, str]) -> None:
        self.forge = forge
        self.asked: list[str] = []
        (forge.folder / "acme").mkdir()
        (forge.folder / "acme" / "proj.git").symlink_to("../origin.git")
        super().__init__(_Answer, forge=self, folder=forge.folder, environ=dict(environ))

    @property
    def program(self) -> dict[str, str]:
        """What has `gh` and git ask here."""
        return {
            "GH_HOST": HOST, "GH_TOKEN": "t0ken", "GH_ENTERPRISE_TOKEN": "t0ken",
            "GH_CONFIG_DIR": str(self.forge.folder / "gh"), "GH_NO_UPDATE_NOTIFIER": "1",
            "GH_PROMPT_DISABLED": "1", "HTTP_PROXY": self.url, "http_proxy": self.url,
        }  # fmt: skip

    def graph(self, query: str, given: dict[str, Any]) -> dict[str, Any]:
        found = re.search(r"(?:query|mutation) (\w+)", query)
        name = found[1] if found else query
        self.asked.append(name)
        sent = given.get("input", {})
        match name:
            case "PullRequestList" | "PullRequestForBranch":
                branch = given.get("headBranch", given.get("headRefName"))
                nodes = [self._pull(one) for one in self.forge.pulls
                         if one["head"] == branch and one["state"] == "OPEN"]  # fmt: skip
                pulls = {"nodes": nodes, "totalCount": len(nodes), "pageInfo": _PAGE}
                return {"repository": {**self._repository(), "pullRequests": pulls}}
            case "PullRequestByNumber":
                number = given["pr_number"] if "pr_number" in given else given["number"]
                return {"repository": {"pullRequest": self._pull(self.forge.pulls[number - 1])}}
            case "PullRequest_fields" | "PullRequest_fields2" | "Repository_fields":
                return {name.partition("_")[0]: {"fields": []}}  # none that is newer than `gh`
            case "RepositoryInfo":
                return {"repository": self._repository()}
            case "PullRequestCreate":
                made = self.forge.open(sent["headRefName"], sent["baseRefName"], sent["title"],
                                       sent["body"])  # fmt: skip
                url = f"http://{HOST}/acme/proj/pull/{made['number']}"
                self.forge.change(sent["headRefName"], url=url)
                return {"createPullRequest": {"pullRequest": {"id": str(made["number"]),
                                                              "url": url}}}  # fmt: skip
            case "PullRequestAutoMerge":
                pull = self.forge.pulls[int(sent["pullRequestId"]) - 1]
                commit = sent["expectedHeadOid"]
                assert self.forge.merge_or_wait(pull, sent["mergeMethod"].lower(), commit)
                return {"enablePullRequestAutoMerge": {"clientMutationId": ""}}
            case "PullRequestUpdate":
                pull = self.forge.pulls[int(sent["pullRequestId"]) - 1]
                self.forge.change(pull["head"], base=sent["baseRefName"])
                return {"updatePullRequest": {"__typename": ""}}
            case "CommentCreate":
                pull = self.forge.pulls[int(sent["subjectId"]) - 1]
                self.forge.says(pull["head"], "us", sent["body"], asks=False)
                return {"addComment": {"commentEdge": {"node": {"url": pull["url"]}}}}
        raise AssertionError(f"{name}: {query} {given}")

    def rest(self, path: str) -> tuple[str, str]:
        self.asked.append(path)
        if log := re.fullmatch(r"/repos/acme/proj/actions/jobs/(\d+)/logs", path):
            return "text/plain", self.forge.logs[log[1]]
        assert re.fullmatch(r"/repos/acme/proj/pulls/\d+/comments\?per_page=100", path), path
        return "application/json", "[]"

    def _repository(self) -> dict[str, Any]:
        return {
            "id": "R", "name": "proj", "owner": {"login": "acme"}, "parent": None,
            "defaultBranchRef": {"name": "main"}, "viewerPermission": "WRITE", "isPrivate": False,
            "hasIssuesEnabled": True, "hasWikiEnabled": False, "description": "",
            "mergeCommitAllowed": True, "rebaseMergeAllowed": True, "squashMergeAllowed": True,
        }  # fmt: skip

    def _pull(self, pull: dict[str, Any]) -> dict[str, Any]:
        said = pull.get("said", ())
        red = pull.get("failed", ()) if self.forge.is_red(pull) else ()
        checks = [
            {"__typename": "CheckRun", "name": name, "status": "COMPLETED",
             "conclusion": "FAILURE", "startedAt": "2026-11-29T12:00:00Z",
             "completedAt": "2026-11-29T12:01:00Z",
             "detailsUrl": f"{pull['url']}/actions/runs/1/job/{70 + n}",
             "checkSuite": {"workflowRun": {"workflow": {"name": "CI"}}}}
            for n, name in enumerate(red)
        ]  # fmt: skip
        rollup = {"contexts": {"nodes": checks, "pageInfo": _PAGE}}
        return {
            "id": str(pull["number"]), "number": pull["number"], "url": pull["url"],
            "state": pull["state"], "title": pull["title"], "body": pull["body"],
            "baseRefName": pull["base"], "headRefName": pull["head"],
            "headRefOid": self.forge.tip(pull), "isDraft": False, "isCrossRepository": False,
            "headRepositoryOwner": {"login": "acme"}, "headRepository": {"name": "proj"},
            "mergeable": "MERGEABLE", "mergeStateStatus": "BLOCKED",
            "mergeCommit": {"oid": pull["commit"]} if "commit" in pull else None,
            "latestReviews": {"nodes": [
                {"author": {"login": one["by"]}, "authorAssociation": one.get("is", "MEMBER"),
                 "body": one["text"], "submittedAt": one["at"], "state": "CHANGES_REQUESTED"}
                for one in said if one["asks"]
            ]},
            "comments": {"pageInfo": _PAGE, "nodes": [
                {"author": {"login": one["by"]}, "body": one["text"], "createdAt": one["at"]}
                for one in said if not one["asks"]
            ]},
            "statusCheckRollup": {"nodes": [{"commit": {"statusCheckRollup": rollup}}]},
            "commits": {"nodes": [{"commit": {"statusCheckRollup": rollup}}], "totalCount": 1},
        }  # fmt: skip


class _Answer(Cgi):
    def _serve(self) -> None:
        api: GitHubFlow = self.server.forge  # type: ignore[attr-defined]
        host, _, rest = self.path.removeprefix("http://").partition("/")
        path = f"/{rest}"
        if host == HOST:
            self.path = path
            super()._serve()
            return
        assert host == f"api.{HOST}", self.path
        text = self.body()
        if path == "/graphql":
            sent = json.loads(text)
            kind, told = "application/json", ""
            told = json.dumps({"data": api.graph(sent["query"], sent.get("variables") or {})})
        else:
            kind, told = api.rest(path)
        self.answer(200, told.encode(), Content_Type=kind)

    do_GET = do_POST = _serve
