"""Look for what a crash or a setting left behind, and fix what is safe to fix (law L6)."""

from __future__ import annotations

from ralphgit.app.active_claims.claim_map import ClaimMap
from ralphgit.app.doctor import claims, git_settings, leftovers, local_base, setup_files
from ralphgit.app.doctor.finding_kinds import Finding
from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, RalphError


def examine(project: Project, *, fix: bool, thorough: bool = False) -> list[Finding]:
    """Look for leftovers and for settings that harm; with `fix`, fix what is provably safe to fix.

    Nothing that somebody wrote is removed: only leases that the base has moved past,
    ralphgit's own temporary files of dead processes, notes of ended claims, lock files of git
    that no living process can own, and what a killed move of the base left half-way. A local base
    branch that has diverged by records alone goes to where its remote is.
    `thorough` also reports what is missing and does no harm.
    """
    found = [*git_settings.of_version(project), *git_settings.of_settings(project)]
    found += git_settings.of_core_bare(project, fix)
    found += git_settings.of_clone(project)
    found += git_settings.of_base(project)
    found += git_settings.of_filters(project)
    found += claims.of_refs_in_the_way(project)
    found += leftovers.find(project, fix)
    found += setup_files.find(project, fix)
    if thorough:
        found += setup_files.missing(project)
    try:
        claim_map = ClaimMap(project)
        rows = claim_map.base.by_id
    except RalphError as error:
        found.append(Finding("no_graph", "error", str(error), error.hint))
        return found
    found += local_base.find(project, fix)
    found += claims.of_refused_refs(project, fix)
    found += claims.of_leases(project, claim_map, fix)
    try:
        found += claims.of_claims(project, claim_map, fix)
    except InvalidRecord as error:
        found.append(Finding("no_graph", "error", str(error), error.hint))
    for row in rows.values():
        for other in row.depends_on:
            if other not in rows:
                message = f"{row.id} depends on {other}, which does not exist"
                found.append(Finding("unknown_dependency", "warning", message, "ralphgit check"))
    return found
