"""Name the words by which an implementation plan is read, in the languages that plans are in.

The skills that write such plans use English words, and those who have them write in their own
language translate these: `### Tarea 1: Esquema`, `- [ ] **\u6b65\u9aa4 1\uff1a...**`.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

#: Behind a number or a label: also as it stands in full width.
COLON = r"[:\uff1a]"
BETWEEN = r"[:.)\u2013\u2014\uff1a\u3001\uff0e-]"

TASK = (
    r"(?:Task|Tarea|Tarefa|T\u00e2che|Aufgabe|\u0417\u0430\u0434\u0430\u0447\u0430|Zadanie|Taak"
    r"|\u4efb\u52a1|\u4efb\u52d9|\u30bf\u30b9\u30af|\uc791\uc5c5|\ud0dc\uc2a4\ud06c)"
)
#: The same of several, and as it stands behind "depends on".
TASKS = (
    r"(?:Tasks?|Tareas?|Tarefas?|T\u00e2ches?|Aufgaben?|\u0417\u0430\u0434\u0430\u0447[\u0430-\u044f]*"
    r"|Zada\w{1,3}|Taak|Taken"
    r"|\u4efb\u52a1|\u4efb\u52d9|\u30bf\u30b9\u30af|\uc791\uc5c5|\ud0dc\uc2a4\ud06c)"
)
STEP = (
    r"(?:Step|Paso|Passo|\u00c9tape|Schritt|\u0428\u0430\u0433|Krok|Stap"
    r"|\u6b65\u9aa4|\u6b65\u9a5f|\u30b9\u30c6\u30c3\u30d7|\ub2e8\uacc4)"
)
FILES = (
    r"Files|Archivos|Ficheros|Arquivos|Fichiers|Dateien|\u0424\u0430\u0439\u043b\u044b|Pliki"
    r"|Bestanden|\u6587\u4ef6|\u6a94\u6848|\u30d5\u30a1\u30a4\u30eb|\ud30c\uc77c"
)
DEPENDS = (
    r"Depends on|Dependencies|Depende de|Dependencias|Depend\u00eancias|D\u00e9pend de"
    r"|D\u00e9pendances|Abh\u00e4ngig von|\u0417\u0430\u0432\u0438\u0441\u0438\u0442 \u043e\u0442"
    r"|\u4f9d\u8d56|\u4f9d\u8cf4|\u4f9d\u5b58|\uc758\uc874"
)
STATUS = (
    r"Status|Estado|Statut|\u0421\u0442\u0430\u0442\u0443\u0441|\u72b6\u6001|\u72c0\u614b"
    r"|\u72b6\u614b|\uc0c1\ud0dc"
)
CREATE = (
    r"Create|Add|New|Test|Crear?|Nuevo|Criar|Novo|Cr\u00e9er|Erstellen|Neu"
    r"|\u0421\u043e\u0437\u0434\u0430\u0442\u044c|\u521b\u5efa|\u5275\u5efa|\u65b0\u5efa"
    r"|\u65b0\u589e|\u5efa\u7acb|\u6d4b\u8bd5|\u4f5c\u6210|\u65b0\u898f|\uc0dd\uc131|\ucd94\uac00"
)
OPTIONAL = r"optional|opcional|optionnel|facultatif|\u53ef\u9009|\u53ef\u9078|\uc120\ud0dd"
RUN = (
    r"Run(?: it| the tests?| tests?)?|Ejecut(?:ar?|e)|Execut(?:ar?|e)|Ex\u00e9cut(?:er|ez)"
    r"|Ausf\u00fchren|\u0417\u0430\u043f\u0443\u0441\u0442\u0438\u0442\u044c|\u8fd0\u884c"
    r"|\u57f7\u884c|\u6267\u884c|\u5b9f\u884c|\uc2e4\ud589"
)
EXPECTED = (
    r"Expect(?:ed)?(?: output| result)?|Esperado|Se espera|Attendu|Erwartet"
    r"|\u041e\u0436\u0438\u0434\u0430\u0435\u0442\u0441\u044f|\u9884\u671f|\u9810\u671f"
    r"|\u671f\u671b|\u671f\u5f85|\uc608\uc0c1|\uae30\ub300"
)
_FAIL = (
    r"(?:fail|error|red\b|non-?zero exit"
    r"|exit(?:s|ed)?\s(?:with\s)?(?:code\s|status\s)?(?:non-?zero|[1-9])"
    r"|falla|falha|\u00e9chec|fehl|\u5931\u8d25|\u5931\u6557|\uc2e4\ud328)"
)
_SAYS_FAIL = re.compile(_FAIL, re.IGNORECASE)
_FAILS = re.compile(rf"(?:.{{0,20}}\b)?{_FAIL}|\W*{_FAIL}", re.IGNORECASE)
#: In any sentence but one for the case that it is otherwise.
_STILL_FAILS = re.compile(
    r"(?:\A|[.;]\s+)(?!\W*(?:if|when|should|in case)\b)(?:(?![.;]\s).)*\bstill\s+fail(?:s|ing)?\b",
    re.IGNORECASE | re.DOTALL,
)
_PASSES = re.compile(
    r"[\W_]*(?:pass|success|green|clean|ok\b|(?:all|both)\b.{0,30}\bpass"
    r"|exit(?:s|ed)?\s(?:with\s)?(?:code\s|status\s)?(?:0|zero)\b)",
    re.IGNORECASE,
)
#: "0 errors", "no new failures", "failed: 0".
_NONE = re.compile(
    rf"(?:(?!{_FAIL}).)*?(?:\b(?:no|0|zero|without|sin|sem|keine|sans)\s+(?:\w+\s+){{0,2}}{_FAIL}"
    rf"|{_FAIL}\w*\s*[:=]?\s*0\b)",
    re.IGNORECASE,
)


_NOTHING = re.compile(
    r"\A[\W_]*(?:nothing|none|empty|0)\b(?!\s+\w)"
    r"|\b(?:nothing|empty (?:output|result)|(?:no|zero|0|without|sin|sem|keine|aucune?)\s+"
    r"(?:\w+\s+){0,2}(?:match|result|hit|occurrenc|output|line|referenc|mention|instance|error|warning|failure"
    r"|salida|coincidencia|sa\u00edda|treffer|ausgabe|r\u00e9sultat))"
    r"|\u65e0\u8f93\u51fa|\u6ca1\u6709\u8f93\u51fa|\u65e0\u5339\u914d",
    re.IGNORECASE,
)
#: Beside "no matches": something is to be found all the same.
_BUT = re.compile(
    r"\b(?:except|besides?|other than|apart from|but|only|first|second|one)\b", re.IGNORECASE
)
_RUNS_ON = re.compile(
    r"\bhangs?\b|\bctrl[ +-]?c\b|\^C|\bkeeps? running\b|\bwait(?:s|ing)? for (?:input|connections)"
    r"|\bpress \S+ to (?:quit|exit|stop)|\bruns until\b|\blistening (?:on|at)\b"
    r"|\A\W*(?:\w+\s+and\s+)?(?:starts|boots|launches|listens)\b"
    r"|\b(?:server|daemon|service|app(?:lication)?|bot|it)\s+(?:\w+\s+)?"
    r"(?:starts?|boots|launches|runs|comes up|listens|(?:is )?(?:listening|running))\b",
    re.IGNORECASE,
)


#: What a command prints says it, and not whether it passes: "reports at most 10 violations".
_MEASURES = re.compile(
    r"\b(?:reports?|shows?|prints?|lists?|outputs?|returns?|displays?|says?|contains?|includes?"
    r"|at (?:least|most)|(?:fewer|less|more) than)\b"
    r"|(?:[\u2264\u2265<>]=?|\b(?:under|below|above|over|within))\s*\$?[0-9]|[0-9]\s*%",
    re.IGNORECASE,
)


#: What a step that checks says of what it looks for.
_GONE = re.compile(r"\b(?:no|none|never|without|removed|gone|absent|deleted)\b", re.IGNORECASE)


class Finds(Enum):
    """What a command that searches is to find."""

    SOMETHING = "something"
    NOTHING = "nothing"
    UNSURE = "something in one place, and nothing in another"


class Expected(NamedTuple):
    """What is expected of a command."""

    fails: bool = False
    finds: Finds = Finds.SOMETHING
    runs_on: bool = False


def expected(words: str) -> Expected:
    """What these words expect of a command: that it passes, where they say nothing else."""
    passes = _PASSES.match(words) is not None
    # What follows the first sentence is for the case that it is otherwise.
    first = re.split(r"[.;]\s", words, maxsplit=1)[0]
    fails = bool(_FAILS.match(first)) and not (passes or _NONE.match(first))
    fails = fails or _STILL_FAILS.search(words) is not None
    finds = Finds.SOMETHING
    if _NOTHING.search(words):
        finds = Finds.UNSURE if _BUT.search(words) else Finds.NOTHING
    return Expected(fails, finds, not passes and _RUNS_ON.search(words) is not None)


def measures(words: str) -> bool:
    """Whether these words expect of what a command prints more than that nothing is wrong."""
    nothing = _NONE.match(words) or _NOTHING.search(words)
    return not nothing and _MEASURES.search(words) is not None


def of_step(words: str) -> Expected:
    """What a step, in these words, expects of a command of which nothing else is said."""
    found = expected(words)
    unsure = found.finds is Finds.SOMETHING and _GONE.search(words) is not None
    return Expected(says_failure(words), Finds.UNSURE if unsure else found.finds, found.runs_on)


def says_failure(words: str) -> bool:
    """Whether what a step does, in these words, is to see something fail."""
    return bool(_SAYS_FAIL.search(words)) and not _NONE.match(words)
