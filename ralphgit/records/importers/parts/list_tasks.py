"""Make tasks of the items of a Markdown list: their ids, their order, and what stands in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from ralphgit.errors import InvalidRecord
from ralphgit.model.offered_scope import SUGGESTED
from ralphgit.model.printable import counted
from ralphgit.model.task_status import Mode, Status
from ralphgit.records.importers.imported import Imported, Log
from ralphgit.records.importers.parts import (
    closing_sections,
    headings,
    item_ids,
    item_order,
    list_notes,
    nested_items,
    waiting,
)
from ralphgit.records.importers.parts.field_mapping import in_order, task_of
from ralphgit.records.importers.parts.item_details import (
    details,
    marked,
    references,
    remarked,
    spelled_out,
)
from ralphgit.records.importers.parts.listed_items import Item
from ralphgit.records.importers.parts.markdown_items import (
    CANCELLED,
    DEFERRED,
    Node,
)
from ralphgit.records.importers.parts.source_values import MISSING, PART_OF, safe_names, short
from ralphgit.records.importers.parts.suggested_scope import suggestion
from ralphgit.records.importers.parts.task_waves import Waves

#: They come last, those that are put off after those that are optional.
_OPTIONAL, _PUT_OFF = 4, 5
#: Fields that say that an item is work of its own, whatever stands inside it.
_FILES = frozenset({"scope", "outputs", SUGGESTED})
_OWN = _FILES | {"acceptance", "verify", "mode"}


def imported(
    file: str, items: Sequence[Item], log: Log, *, ids: bool, ordered: bool = False,
    waves: Waves | None = None,
) -> Imported:  # fmt: skip
    """The tasks of a list; with `ids`, its items have some; then, or so, its order is meant.

    `waves`: what somebody has written down of their order, where most of it is in the list.

    Raises: InvalidRecord (duplicate_id, too_large).
    """
    return _Reader(file, items, log, ids=ids, ordered=ordered, waves=waves).imported()


class _Reader:
    def __init__(
        self, file: str, items: Sequence[Item], log: Log, *, ids: bool, ordered: bool,
        waves: Waves | None,
    ) -> None:  # fmt: skip
        self._file, self._log = file, log
        self._marked = [
            closing_sections.marked(item) if item.closing else marked(item.node.text, ids=ids)
            for item in items
        ]
        self._details = [
            closing_sections.details(item, log)
            if item.closing
            else details(words.title, words.mode, _below(item))
            for item, words in zip(items, self._marked, strict=True)
        ]
        self._leads = nested_items.leads(items, self._marked, self._details)
        self._wholes = (
            frozenset(
                item.entry.place
                for item, found in zip(items, self._details, strict=True)
                if item.entry.inner and not _OWN & found.fields.keys()
            )
            - self._leads
        )
        self._groups = self._wholes | self._leads
        self._items = nested_items.boxed_as_the_whole(items, self._groups)
        self._around = nested_items.around(items)
        self._ordered = (ids or ordered) or any(
            item.entry.parallel or words.mode
            for item, words in zip(items, self._marked, strict=True)
        )
        self._sources = item_ids.named(items, self._marked, log)
        self._names = safe_names(self._sources, log)
        self._members: dict[str, list[int]] = {}
        """By what a reference to a whole or a heading leads to, the places of its tasks."""
        self._known = self._called()
        self._waves = self._in_waves(waves) if waves else []

    def imported(self) -> Imported:
        depends = self._with_remarked(self._depends())
        tasks = {
            item.entry.place: self._task(item, depends)
            for item in self._items
            if item.entry.place not in self._wholes
        }
        self._log.notes(list_notes.shared_files(self._items, tasks, depends))
        if any(depends[place] for place in tasks if not self._items[place].closing):
            how = "the list" if self._ordered else "numbers and nesting in the list"
            how = "the waves of its dependency graph" if self._waves else f"the order of {how}"
            self._log.note(f"Dependencies were made from {how}.")
        self._tell_boxes()
        found = self._log.imported(tasks.values(), self._stories(tasks.values()), local=True)
        return found._replace(
            made=frozenset(
                self._name(place)
                for place in tasks
                if self._sources[place] != self._marked[place].id
            ),
            lines={self._name(place): self._items[place].line for place in tasks},
            wholes=self._open_wholes(),
            leads={self._name(place): self._due(place) for place in self._leads},
            boxes={
                self._name(item.entry.place): item.boxes for item in self._items if item.closing
            },
        )

    def _name(self, place: int) -> str:
        return self._names[self._sources[place].casefold()]

    def _task(self, item: Item, depends: Mapping[int, tuple[int, ...]]) -> dict[str, object]:
        place, node = item.entry.place, item.node
        words, found, new = self._marked[place], self._details[place], self._name(place)
        fields: dict[str, object] = {
            "title": words.title or words.id or new,
            "status": _status(node).value,
            **found.fields,
        }
        waits = item.entry.inner and place not in self._leads
        if waits and not ({"mode"} | _FILES) & fields.keys():
            fields["mode"] = Mode.VERIFY.value  # the work is what stands inside
        if node.box and node.box != CANCELLED:
            fields["x-box"] = node.box
        elif ticked := [] if item.entry.inner or node.ticked else _ticked(node):
            fields["x-box"] = f"ticked: step {', '.join(ticked)} of {len(nested_items.steps(node))}"
        if node.optional:
            fields["x-optional"] = True
        if _is_put_off(node):
            fields["priority"] = _PUT_OFF if node.box == DEFERRED else _OPTIONAL
        self._place(item, fields)
        fields["depends_on"] = [self._name(other) for other in depends[place]]
        if (said := self._said(place, depends)) is not None:
            refs, missing = self._references(said, place)
            fields["depends_on"] = refs
            if missing:
                fields[MISSING] = missing
                self._log.note(
                    f"{new} depends on {', '.join(missing)}, not in the list: kept aside."
                )
        if found.named and fields.get("mode") != Mode.VERIFY and not _FILES & fields.keys():
            fields[SUGGESTED] = suggestion(found.named)
        if found.commit:
            fields["x-commit"] = found.commit
        if words.id and new != words.id:
            fields["x-id"] = words.id
        if found.strange:
            self._log.note(f"{new}: not read as paths: {', '.join(found.strange)[:120]}")
        return in_order(task_of(new, fields, self._log, ""))

    # -- what a task is part of --------------------------------------------------------------

    def _above(self, place: int) -> list[int]:
        """The groups that an item stands in, or leads itself, the outermost first."""
        found = [place] if place in self._leads else []
        while place in self._around:
            place = self._around[place]
            if place in self._groups:
                found.append(place)
        return found[::-1]

    def _place(self, item: Item, fields: dict[str, object]) -> None:
        """Say of which story a task is, and what the wholes between the two say."""
        marked, above = self._marked[item.entry.place].story, self._above(item.entry.place)
        story = marked or (self._name(above[0]) if above else "")
        heading = item.heading.story if item.heading else ""
        if story or heading:
            fields["story"] = story or heading
        if story and heading and not (above and headings.is_plain(heading)):
            fields["milestone"] = heading
        if "milestone" not in fields and item.above is not None:
            fields["milestone"] = item.above.story
        said = [PART_OF + words for words in item.below]
        said += [
            self._says(place)
            for place in (above if marked else above[1:])
            if place not in self._leads
        ]
        if said:
            parts = (*said, str(fields.get("description", "")))
            fields["description"] = "\n\n".join(filter(None, parts))

    def _says(self, whole: int) -> str:
        """What a whole says to a task in it that is of another story."""
        more = str(self._details[whole].fields.get("description", ""))
        return "\n\n".join(filter(None, (PART_OF + self._items[whole].node.text, more)))

    def _stories(self, tasks: Collection[Mapping[str, object]]) -> dict[str, object]:
        """The root keys: headings are stories or milestones, and the outermost wholes stories."""
        read = [item.heading for item in self._items]
        used = {key: {task.get(key) for task in tasks} for key in ("story", "milestone")}
        root = headings.stories(one for one in read if one and one.story in used["story"])
        listed = root.get("stories")
        stories: list[object] = list(listed) if isinstance(listed, list) else []
        marked = [words.story for words in self._marked]
        stories += headings.of_markers(list(zip(marked, read, strict=True)))
        for place in sorted(self._groups):
            if self._above(place) not in ([], [place]):
                continue
            found = self._details[place]
            title = self._marked[place].title or self._name(place)
            story: dict[str, object] = {"id": self._name(place), "title": title}
            if place in self._wholes and "description" in found.fields:
                story["description"] = found.fields["description"]
            if place in self._wholes and found.commit:
                story["x-commit"] = found.commit
            stories.append(story)
        above = [one for item in self._items for one in (item.heading, item.above) if one]
        over = headings.stories(one for one in above if one.story in used["milestone"])
        root = {"stories": stories, "milestones": over.get("stories")}
        return {key: value for key, value in root.items() if value}

    def _open_wholes(self) -> dict[int, tuple[str, ...]]:
        """By the line of each whole that is open, the tasks that have to be done in it."""
        found = {}
        for place in sorted(self._wholes):
            if _status(self._items[place].node) == Status.PENDING:
                found[self._items[place].line] = self._due(place)
        return found

    def _due(self, group: int) -> tuple[str, ...]:
        """The tasks in a group that have to be done before it is ticked."""
        inside = nested_items.tasks_in(self._items[group], self._wholes)
        due = [one for one in inside if not self._aside(one)]
        due = due if due or group in self._leads else inside
        # What is put off with the whole must not come back with its tick.
        due = inside if self._items[group].node.box == DEFERRED else due
        return tuple(map(self._name, due))

    def _tasks_of(self, group: int) -> list[int]:
        """The places of a group's tasks; the one that leads them first."""
        own = [group] if group in self._leads else []
        return own + nested_items.tasks_in(self._items[group], self._wholes)

    # -- dependencies ------------------------------------------------------------------------

    def _depends(self) -> dict[int, tuple[int, ...]]:
        outer = nested_items.outermost(self._items)
        top = [item.entry for item in outer if not item.closing]
        order = item_order.meant if self._ordered else item_order.plain
        aside = {item.entry.place for item in self._items if self._aside(item.entry.place)}
        try:
            if self._waves:
                depends = item_order.waved(top, self._waves, self._leads)
            else:
                depends = order(top, self._leads)
        except item_order.TooMany:
            message = f"the order of the list makes more than {item_order.MOST} dependencies"
            hint = "put a [VERIFY] item between long rows of [P] items, or split the file"
            raise InvalidRecord(message, file=self._file, code="too_large", hint=hint) from None
        ends = {
            place: nested_items.last(self._items[place].entry, depends, self._leads)
            for place in self._wholes
        }
        done = {item.entry.place for item in self._items if item.node.ticked} - self._wholes
        found = item_order.passing({**depends, **ends}, aside | self._wholes, done)
        found |= closing_sections.waits(self._items, found, aside | self._wholes)
        for place, waits in depends.items():
            # What is optional with what it stands in comes behind it all the same.
            led = [one for one in waits if one in aside & self._leads and one in self._above(place)]
            if led and self._items[led[0]].node.box != CANCELLED:
                found[place] = (*led, *(one for one in found[place] if one not in found[led[0]]))
        return found

    def _in_waves(self, waves: Waves) -> list[list[int]]:
        """The places of the items in each wave; none where most ids are of no item."""
        places = {
            words.id.casefold(): place for place, words in enumerate(self._marked) if words.id
        }
        every = [id for wave in waves.ids for id in wave]
        unknown = [id for id in every if id not in places]
        if unknown:
            names = short(", ".join(unknown))
            self._log.note(f"The dependency graph in line {waves.line} has no items for: {names}.")
        if 2 * len(unknown) >= len(every):
            return []
        return [[places[id] for id in wave if id in places] for wave in waves.ids]

    def _with_remarked(self, depends: Mapping[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
        """What each waits for, also by its title: `(depends on T012)`, but in no circle."""
        made = dict(depends)
        places = {self._name(item.entry.place): item.entry.place for item in self._items}
        for place, words in enumerate(self._marked):
            said = remarked(words.title)
            if not said or place in self._wholes:
                continue
            refs = [places[ref] for ref in self._references(said, place)[0]]
            good = waiting.without_circles(place, refs, made)
            if bad := [self._name(ref) for ref in refs if ref not in good]:
                self._log.note(
                    f"{self._name(place)} says that it depends on {', '.join(bad)}, which waits "
                    "for it: left out."
                )
            made[place] = tuple(dict.fromkeys((*made[place], *good)))
        return made

    def _aside(self, place: int) -> bool:
        """Whether nothing waits for an item. Also for what is optional and done: ticking it changes
        nothing else."""
        node = self._items[place].node
        return _is_put_off(node) or node.optional or node.box == CANCELLED

    def _said(self, place: int, depends: Mapping[int, tuple[int, ...]]) -> str | None:
        """What a task says of its dependencies; a whole says it for those that begin in it."""
        if self._details[place].depends_on is not None:
            return self._details[place].depends_on
        for whole in reversed(self._above(place)):
            inside = self._tasks_of(whole)
            if {*depends[place]} & {*inside}:
                return None
            if self._details[whole].depends_on is not None:
                return self._details[whole].depends_on
        return None

    def _references(self, said: str, place: int) -> tuple[list[str], list[str]]:
        """The tasks that words name, with all that is in a whole or below a heading; and the rest.

        What a task stands in itself is no task before it.
        """
        order = [self._name(other) for other in range(len(self._items))]
        words = spelled_out(headings.spelled_out(said), self._known, order)
        refs, missing = references(words, self._known)
        found: list[str] = []
        for ref in refs:
            inside = self._members.get(ref)
            if inside is None:
                found.append(ref)
            elif place in inside[1:] and inside[0] in self._leads:
                found.append(self._name(inside[0]))
            elif place in inside:
                missing.append(ref.strip())
            else:
                due = [other for other in inside if not self._aside(other)] or inside
                found += map(self._name, due)
        return [one for one in dict.fromkeys(found) if one != self._name(place)], missing

    def _called(self) -> dict[str, str]:
        """Each task by what it may be called: by its title, where no other has that, and its id.

        A whole and a heading, too: these lead to a key of `_members`.
        """
        known: dict[str, str] = {}
        for item in self._items:
            if item.entry.place in self._groups:
                inside = self._tasks_of(item.entry.place)
                self._members[self._name(item.entry.place)] = inside
            elif heading := item.heading:
                self._members.setdefault(f"{heading.title} ", []).append(item.entry.place)
                for words in (heading.title, heading.story, heading.phase.replace("-", " ")):
                    known[words.casefold()] = f"{heading.title} "
        known.pop("", None)
        titles = Counter(words.title.casefold() for words in self._marked)
        known |= {
            words.title.casefold(): self._name(place)
            for place, words in enumerate(self._marked)
            if titles[words.title.casefold()] == 1
        }
        return known | self._names | {name.casefold(): name for name in self._names.values()}

    def _tell_boxes(self) -> None:
        """Say what is a whole, what is ticked too early, and what boxes mean."""
        wholes = sorted(self._wholes)
        self._log.notes(
            list_notes.groups(
                [self._items[one] for one in wholes],
                [self._items[one] for one in sorted(self._leads)],
            )
        )
        for place in wholes:
            left = [
                self._name(one)
                for one in nested_items.tasks_in(self._items[place], self._wholes)
                if _status(self._items[one].node) == Status.PENDING and not self._aside(one)
            ]
            if self._items[place].node.ticked and left:
                what = short(self._items[place].node.text)
                self._log.note(f"{what} is ticked, and not all in it is: {', '.join(left[:10])}.")
        items = [item for item in self._items if item.entry.place not in self._wholes]
        aside = sum(_is_put_off(item.node) for item in items)
        if aside:
            self._log.note(
                f"{counted(aside, 'item')} put off or optional: nothing waits for them, and they "
                f"come last (priority {_OPTIONAL}, {_PUT_OFF})."
            )
        self._log.notes(list_notes.closing(items))
        self._log.notes(list_notes.boxes([item for item in items if not item.closing]))
        self._log.notes(list_notes.markers(self._marked))


def _is_put_off(node: Node) -> bool:
    """Whether an item is open, and comes last."""
    return _status(node) == Status.PENDING and (node.optional or node.box == DEFERRED)


def _status(node: Node) -> Status:
    if node.box == CANCELLED:
        return Status.CANCELLED
    return Status.COMPLETE if node.ticked else Status.PENDING


def _ticked(node: Node) -> list[str]:
    """The numbers of the steps that are ticked."""
    return [str(number) for number, one in enumerate(nested_items.steps(node), 1) if one.ticked]


def _below(item: Item) -> list[Node]:
    """What stands in an item and is no task of its own."""
    if not item.entry.inner:
        return [nested_items.open_steps(inner) for inner in item.node.nodes]
    return [inner for inner in item.node.nodes if inner.ticked is None]
