"""Render the page: compiled from page.html by `just page`. Do not edit."""
# ruff: noqa
# mypy: ignore-errors

from collections.abc import Iterator

from ralphgit.app.report.template_runtime import (
    Context, Environment, TemplateRuntimeError, Undefined, environment, escape, internalcode, missing,
)

def root(
    context: Context, missing: object = missing, environment: Environment = environment
) -> Iterator[str]:
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_version = resolve('version')
    l_0_policy = resolve('policy')
    l_0_found = resolve('found')
    l_0_style = resolve('style')
    l_0_data = resolve('data')
    l_0_script = resolve('script')
    try:
        t_1 = environment.filters['age']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'age' found.")
    try:
        t_2 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    try:
        t_3 = environment.filters['length']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'length' found.")
    try:
        t_4 = environment.filters['replace']
    except KeyError:
        @internalcode
        def t_4(*unused):
            raise TemplateRuntimeError("No filter named 'replace' found.")
    try:
        t_5 = environment.filters['safe']
    except KeyError:
        @internalcode
        def t_5(*unused):
            raise TemplateRuntimeError("No filter named 'safe' found.")
    try:
        t_6 = environment.filters['tojson']
    except KeyError:
        @internalcode
        def t_6(*unused):
            raise TemplateRuntimeError("No filter named 'tojson' found.")
    try:
        t_7 = environment.tests['none']
    except KeyError:
        @internalcode
        def t_7(*unused):
            raise TemplateRuntimeError("No test named 'none' found.")
    pass
    yield '<html lang="en"'
    if (undefined(name='version') if l_0_version is missing else l_0_version):
        pass
        yield ' data-version="'
        yield escape(environment.finalize((undefined(name='version') if l_0_version is missing else l_0_version)))
        yield '"'
    yield '>\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="'
    yield escape(environment.finalize(t_5((undefined(name='policy') if l_0_policy is missing else l_0_policy))))
    yield '">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n<title>'
    yield escape(environment.finalize(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'repository')))
    yield ': '
    yield escape(environment.finalize(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'label')))
    yield '</title>\n<style>'
    yield escape(environment.finalize(t_5((undefined(name='style') if l_0_style is missing else l_0_style))))
    yield '</style>\n</head>\n<body>\n<a class="skip" href="#views">Skip to the tasks</a>\n<header>\n<h1>'
    yield escape(environment.finalize(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'repository')))
    yield '</h1>\n<p class="quiet origin"><code>'
    yield escape(environment.finalize(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'label')))
    yield '</code> at <code>'
    yield escape(environment.finalize(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'commit')[:12]))
    yield '</code>, <time>'
    yield escape(environment.finalize(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'generated')))
    yield '</time></p>\n<div class="search" id="search" hidden>\n<input id="query" type="search" role="combobox" autocomplete="off" spellcheck="false"\n aria-label="Search tasks by id, title, worker or story" aria-controls="found"\n aria-expanded="false" placeholder="Search: id, title, worker, story   ( / )">\n<ul id="found" role="listbox" aria-label="Tasks found" hidden></ul>\n</div>\n<label class="pick" id="story-pick" hidden>Story\n<select id="story"><option value="">all</option></select></label>\n<button type="button" id="theme" hidden>Dark</button>\n</header>\n<section class="states" aria-label="Tasks by state">\n<ul id="states">\n'
    def t_8(fiter):
        for (l_1_state, l_1_count) in fiter:
            if l_1_count:
                yield (l_1_state, l_1_count)
    t_9 = 1
    for (l_1_state, l_1_count) in t_8(context.call(environment.getattr(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'counts'), 'items'))):
        _loop_vars = {}
        pass
        yield '<li><button type="button" class="chip '
        yield escape(environment.finalize(l_1_state))
        yield '" data-state="'
        yield escape(environment.finalize(l_1_state))
        yield '" aria-pressed="false"><b>'
        yield escape(environment.finalize(l_1_count))
        yield '</b> '
        yield escape(environment.finalize(l_1_state))
        yield '</button></li>\n'
        t_9 = 0
    l_1_state = l_1_count = missing
    if t_9:
        pass
        yield '<li>no tasks</li>\n'
    yield '</ul>\n<p class="quiet" id="told" role="status"></p>\n</section>\n<section id="needs" aria-labelledby="needs-title"'
    yield escape(environment.finalize(('' if environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'needs') else ' hidden')))
    yield '>\n<h2 id="needs-title">Needs a person <span class="quiet">'
    yield escape(environment.finalize(t_3(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'needs'))))
    yield '</span></h2>\n<ul>\n'
    for l_1_need in environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'needs'):
        _loop_vars = {}
        pass
        yield '<li><div class="head"><span class="word">'
        yield escape(environment.finalize(t_4(context.eval_ctx, environment.getattr(l_1_need, 'code'), '_', ' ')))
        yield '</span>\n'
        if environment.getattr(l_1_need, 'task'):
            pass
            yield '<a class="id" href="#'
            yield escape(environment.finalize(environment.getattr(l_1_need, 'task')))
            yield '">'
            yield escape(environment.finalize(environment.getattr(l_1_need, 'task')))
            yield '</a> <span class="quiet">'
            yield escape(environment.finalize(environment.getattr(l_1_need, 'title')))
            yield '</span>'
        if environment.getattr(l_1_need, 'since'):
            pass
            yield '<span class="quiet age">for '
            yield escape(environment.finalize((t_1(environment.getattr(l_1_need, 'waiting_s')) if (not t_7(environment.getattr(l_1_need, 'waiting_s'))) else cond_expr_undefined("the inline if-expression on line 47 evaluated to false and no else section was defined."))))
            yield '</span>'
        yield '</div><div class="message"><p>'
        yield escape(environment.finalize(environment.getattr(l_1_need, 'message')))
        yield '</p>'
        if environment.getattr(l_1_need, 'options'):
            pass
            yield '<ul class="options">'
            for l_2_option in environment.getattr(l_1_need, 'options'):
                _loop_vars = {}
                pass
                yield '<li>'
                yield escape(environment.finalize(l_2_option))
                yield '</li>'
            l_2_option = missing
            yield '</ul>'
        yield '</div><div class="command"><code>'
        yield escape(environment.finalize(environment.getattr(l_1_need, 'command')))
        yield '</code></div></li>\n'
    l_1_need = missing
    yield '</ul>\n</section>\n<section id="workers" aria-labelledby="workers-title"'
    yield escape(environment.finalize(('' if environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'workers') else ' hidden')))
    yield '>\n<h2 id="workers-title">Workers <span class="quiet">'
    yield escape(environment.finalize(t_3(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'workers'))))
    yield '</span></h2>\n<ul>\n'
    for l_1_one in environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'workers'):
        _loop_vars = {}
        pass
        yield '<li><b>'
        yield escape(environment.finalize(environment.getattr(l_1_one, 'name')))
        yield '</b> <span class="word">'
        yield escape(environment.finalize(environment.getattr(l_1_one, 'state')))
        yield '</span>\n'
        if environment.getattr(l_1_one, 'task'):
            pass
            yield '<a class="id" href="#'
            yield escape(environment.finalize(environment.getattr(l_1_one, 'task')))
            yield '">'
            yield escape(environment.finalize(environment.getattr(l_1_one, 'task')))
            yield '</a> <span class="quiet">'
            yield escape(environment.finalize(environment.getattr(l_1_one, 'title')))
            yield '</span>'
        if (not t_7(environment.getattr(l_1_one, 'for_s'))):
            pass
            yield '<span class="quiet">for '
            yield escape(environment.finalize(t_1(environment.getattr(l_1_one, 'for_s'))))
            yield '</span>'
        if environment.getattr(l_1_one, 'changed'):
            pass
            yield '<span class="quiet">files '
            yield escape(environment.finalize(environment.getattr(l_1_one, 'changed')))
            yield '</span>'
        if (not t_7(environment.getattr(l_1_one, 'seen_s'))):
            pass
            yield '<span class="quiet">seen '
            yield escape(environment.finalize(t_1(environment.getattr(l_1_one, 'seen_s'))))
            yield ' ago</span>'
        yield '<span class="quiet">'
        yield escape(environment.finalize(environment.getattr(l_1_one, 'where')))
        yield '</span>\n'
        if environment.getattr(l_1_one, 'reason'):
            pass
            yield '<span class="why">'
            yield escape(environment.finalize(environment.getattr(l_1_one, 'reason')))
            yield '</span>'
        if environment.getattr(l_1_one, 'url'):
            pass
            yield '<a href="'
            yield escape(environment.finalize(environment.getattr(l_1_one, 'url')))
            yield '" rel="noreferrer">pull request</a>'
        yield '</li>\n'
    l_1_one = missing
    yield '</ul>\n</section>\n<section id="usage" aria-labelledby="usage-title"'
    yield escape(environment.finalize(('' if environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'usage') else ' hidden')))
    yield '>\n<h2 id="usage-title">Used <span class="quiet">'
    yield escape(environment.finalize(environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'used')))
    yield '</span></h2>\n<div class="charts">\n'
    for (l_1_by, l_1_rows) in environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'usage'):
        _loop_vars = {}
        pass
        yield '<figure><figcaption>by '
        yield escape(environment.finalize(l_1_by))
        yield '</figcaption><ul>\n'
        for l_2_one in l_1_rows:
            _loop_vars = {}
            pass
            yield '<li><span class="name">'
            yield escape(environment.finalize(environment.getattr(l_2_one, 'name')))
            yield '</span>\n<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="'
            yield escape(environment.finalize(environment.getattr(l_2_one, 'share')))
            yield '" height="8"></rect></svg>\n<span class="quiet">'
            yield escape(environment.finalize(environment.getattr(l_2_one, 'said')))
            yield '</span></li>\n'
        l_2_one = missing
        yield '</ul></figure>\n'
    l_1_by = l_1_rows = missing
    yield '</div>\n</section>\n<main id="views" tabindex="-1">\n<div class="tabs" id="tabs" role="tablist" aria-label="Views" hidden>\n<button type="button" role="tab" id="tab-graph" aria-controls="view-graph">Graph</button>\n<button type="button" role="tab" id="tab-tasks" aria-controls="view-tasks">Tasks</button>\n<button type="button" role="tab" id="tab-lanes" aria-controls="view-lanes">Lanes</button>\n<button type="button" role="tab" id="tab-attempts" aria-controls="view-attempts">Attempts</button>\n<button type="button" role="tab" id="tab-evidence" aria-controls="view-evidence">Evidence</button>\n</div>\n<noscript><p class="quiet">The graph, the lanes, the attempts and the evidence need JavaScript, which is off\nhere; these are the tasks.</p></noscript>\n<div class="stage">\n<section id="view-graph" role="tabpanel" aria-labelledby="tab-graph" hidden>\n<svg id="graph" role="application" tabindex="0" aria-roledescription="graph"\n aria-label="Dependencies of the tasks. Arrow keys go from task to task, Enter shows one, plus and\n minus zoom, 0 shows all. The list of tasks has the same."></svg>\n<div class="zoom" role="group" aria-label="Zoom">\n<button type="button" id="zoom-in" aria-label="Zoom in">+</button>\n<button type="button" id="zoom-out" aria-label="Zoom out">&minus;</button>\n<button type="button" id="zoom-all">All</button>\n</div>\n</section>\n<section id="view-tasks" role="tabpanel" aria-labelledby="tab-tasks">\n<ul class="rows" id="tasks">\n'
    for l_1_one in environment.getattr((undefined(name='found') if l_0_found is missing else l_0_found), 'tasks'):
        l_1_state = missing
        _loop_vars = {}
        pass
        l_1_state = environment.getattr(l_1_one, 'task_state')
        _loop_vars['state'] = l_1_state
        yield '<li><a href="#'
        yield escape(environment.finalize(environment.getattr(environment.getattr(l_1_one, 'task'), 'id')))
        yield '"><span class="id">'
        yield escape(environment.finalize(environment.getattr(environment.getattr(l_1_one, 'task'), 'id')))
        yield '</span><span class="chip '
        yield escape(environment.finalize(environment.getattr((undefined(name='state') if l_1_state is missing else l_1_state), 'state')))
        yield '">'
        yield escape(environment.finalize(environment.getattr((undefined(name='state') if l_1_state is missing else l_1_state), 'state')))
        yield escape(environment.finalize((' (stale)' if environment.getattr((undefined(name='state') if l_1_state is missing else l_1_state), 'stale') else cond_expr_undefined("the inline if-expression on line 128 evaluated to false and no else section was defined."))))
        yield '</span><span class="what">'
        yield escape(environment.finalize(environment.getattr(environment.getattr(l_1_one, 'task'), 'title')))
        yield '</span><span class="quiet story">'
        yield escape(environment.finalize(environment.getattr(environment.getattr(l_1_one, 'task'), 'story')))
        yield '</span><span class="quiet note">'
        if (environment.getattr((undefined(name='state') if l_1_state is missing else l_1_state), 'holder') and environment.getattr(environment.getattr((undefined(name='state') if l_1_state is missing else l_1_state), 'holder'), 'by')):
            pass
            yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='state') if l_1_state is missing else l_1_state), 'holder'), 'by')))
        elif environment.getattr((undefined(name='state') if l_1_state is missing else l_1_state), 'blocked_on'):
            pass
            yield 'waits for '
            yield escape(environment.finalize(t_2(context.eval_ctx, environment.getattr((undefined(name='state') if l_1_state is missing else l_1_state), 'blocked_on'), ', ')))
        yield '</span></a></li>\n'
    l_1_one = l_1_state = missing
    yield '</ul>\n</section>\n<section id="view-lanes" role="tabpanel" aria-labelledby="tab-lanes" hidden>\n<div class="axis" id="lane-axis" aria-hidden="true"></div>\n<ul class="lanes" id="lanes"></ul>\n</section>\n<section id="view-attempts" role="tabpanel" aria-labelledby="tab-attempts" hidden>\n<div class="bar"><label class="pick">Worker\n<select id="worker"><option value="">all</option></select></label>\n<label class="pick">Ended\n<select id="outcome"><option value="">all</option></select></label>\n<span class="quiet" id="attempts-told"></span></div>\n<div class="axis" id="axis" aria-hidden="true"></div>\n<ul class="rows" id="attempts"></ul>\n</section>\n<section id="view-evidence" role="tabpanel" aria-labelledby="tab-evidence" hidden>\n<div class="bar"><label class="pick">Only\n<select id="worth"><option value="">all</option><option>fresh</option><option>stale</option>\n<option>superseded</option><option>failed</option></select></label>\n<span class="quiet" id="evidence-told"></span></div>\n<ul class="proofs" id="evidence"></ul>\n</section>\n<aside id="panel" tabindex="-1" aria-labelledby="panel-title" hidden></aside>\n</div>\n</main>\n<script type="application/json" id="data">'
    yield escape(environment.finalize(t_6(context.eval_ctx, (undefined(name='data') if l_0_data is missing else l_0_data))))
    yield '</script>\n<script>'
    yield escape(environment.finalize(t_5((undefined(name='script') if l_0_script is missing else l_0_script))))
    yield '</script>\n</body>\n</html>\n'
