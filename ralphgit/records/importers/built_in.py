"""List the built-in import formats: a new one is a module beside this one, and a line here."""

from __future__ import annotations

from ralphgit.records.importers import (
    backlog,
    beads,
    bmad,
    ccpm,
    checklist,
    cursor_plan,
    github_issues,
    gsd_plan,
    json_lines,
    junit,
    node_graph,
    own_graph,
    superpowers,
    task_master,
    ticket,
    user_stories,
)
from ralphgit.records.importers.import_format import Importer

#: In the order in which they are asked, and help lists them.
BUILT_IN: tuple[Importer, ...] = (
    backlog.IMPORTER,
    ccpm.IMPORTER,
    bmad.IMPORTER,
    cursor_plan.IMPORTER,
    gsd_plan.IMPORTER,
    ticket.IMPORTER,
    superpowers.IMPORTER,
    checklist.IMPORTER,
    junit.IMPORTER,
    github_issues.IMPORTER,
    user_stories.IMPORTER,
    task_master.IMPORTER,
    beads.IMPORTER,
    node_graph.IMPORTER,
    own_graph.IMPORTER,
    json_lines.IMPORTER,
)
