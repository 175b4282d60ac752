"""Writes what Jinja2, set up as transformers sets it up, makes of small templates, for Nibble's tests to compare with.

usage: jinja_cases.py OUT
OUT: jinja/src/test/resources/jinja/cases.json. A case is [template, output] or [template, null, class of error]; all of
them see the variables in CONTEXT. The classes are those of Nibble's JinjaException.Kind.
"""

import datetime
import json
import pathlib
import sys

import jinja2
from transformers.utils import chat_template_utils

CONTEXT = {
    "s": "Hello, World",
    "u": "naïve 👋🏽 Straße\u00a0",
    "sp": " \t\n\u00a0 x y \u2003\u001c",
    "n": 3,
    "m": -7,
    "f": 2.5,
    "t": True,
    "no": False,
    "nil": None,
    "e": "",
    "l": [3, 1, 2],
    "w": ["b", "A", "c", "a", "B"],
    "d": {"b": 1, "a": [1, 2.0, None, True, "x'y"], "C": {"k": "v"}},
    "items": [
        {"role": "user", "n": 2, "text": "x"},
        {"role": "assistant", "n": 1, "text": "Y", "x": {"y": 5}},
        {"role": "user", "n": 3},
    ],
    "q": "it's \"q\" \\ \n\t\r \x00\x7f é 👋 \u200b\u00ad",
}

# Each line is the inside of {{ }}.
EXPRESSIONS = r"""
s
u
nil
t
no
l
d
q
[q]
{'k': q}
d.a
d['a']
d.C.k
d['C']['k']
d.missing
d.missing.x
d['missing']['x']
missing
missing.x
missing['x']
missing + 1
1 + missing
'a' + missing
missing ~ 'a'
'a' ~ 1 ~ none ~ 2.50
missing == missing2
missing == none
missing < 1
1 < missing
missing in l
missing in s
s in missing
-missing
missing()
nil.x
nil.x.y
nil['x']
nil + 1
nil + 'a'
'a' + nil
'a' + 1
1 + 'a'
'ab' * 3
3 * 'ab'
'ab' * -1
[1, 2] * 2
(1, 2) + (3,)
[1] + (2,)
[1] + [2]
l + l
l * 1.5
1 / 2
4 / 2
7 // 2
-7 // 2
7 % 3
-7 % 3
7 % -3
-7.5 % 2
7.5 // 2
-7.5 // 2
1 / 0
1 // 0
1 % 0
1.0 / 0
2 ** 10
2 ** -1
2 ** 3 ** 2
-2 ** 2
2 ** 0.5
0 ** 0
10 ** 20
10 ** 20 * 10 ** 20
1e3
1e16
1e15
123456789012345680.0
1e-4
1e-5
0.1 + 0.2
1.0
100.0
-0.0
1e22
1.5e300 * 1e10
5e-324
3.14159265358979
2.0 ** 0.5
0x1F
0o17
0b101
1_000
007
true + 1
true == 1
1 == 1.0
'1' == 1
[1, 2] == [1.0, 2]
[1] == (1,)
{'a': 1} == {'a': 1.0}
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
none == false
'' == none
1 < 2 < 3
1 < 3 < 2
3 > 2 > 1 > 0
1 < 2 == true
'a' < 'b'
'a' < 'B'
'é' < 'z'
'a' < 1
[1, 2] < [1, 3]
[1, 2] < [1]
[1, 'a'] < [1, 2]
{} < {}
none < none
2 in l
5 in l
5 not in l
not 5 in l
'ell' in s
1 in s
'b' in d
[1] in d
'k' in d.C
1 in 5
'a' in ['a', 'b'] and 'c' not in ['a']
not t
not not t
t and 'x'
no and 'x'
no or 'x'
e or nil or 0 or 'last'
1 and 2 or 3
'yes' if t else 'no'
'yes' if no else 'no'
'yes' if no
('yes' if no) is defined
1 if 2 if 0 else 3 else 4
'a' 'b' "c"
'a\nb\tc\\d\'e\"f'
'\x41\u00e9\U0001F44B\101\q'
'\N{BULLET}'
"a'b"
[1, 2, 3,]
(1,)
()
(1, 2)
1, 2
[]
{}
{'a': 1,}
{1: 2, 'a': none, (1, 2): 3}
{[1]: 2}
{true: 'x', 1: 'y'}
['x', "y'z", 'q"r', 'q"\'r']
l[0]
l[-1]
l[3]
l[-4]
l[1.0]
l['0']
l[true]
l[none]
l.0
l.5
s[0]
s[-1]
s[100]
u[6]
u[6:8]
u[::-1]
s[1:3]
s[:-1]
s[::-1]
s[::2]
s[5:2]
s[5:2:-1]
s[-3:]
s[:100]
s[100:]
l[1:]
l[:-1]
l[::-1]
l[::0]
l['a':]
l[none:2]
(1, 2, 3)[1:]
d[1:]
missing[1:]
items[0].role
items[0]['role']
items[1].x.y
items[5].role
items[-1].n
range(5)
range(5)[1:3]
range(5)[-1]
range(10)[::-2]
range(2, 10, 3) | list
range(5, 0, -2) | list
range(3) | length
range(3) == range(0, 3)
range(0)
range(0) or 'empty'
range(100001)
range(1, 2, 0)
range('a')
range(1.0)
dict(a=1, b=2)
dict(d, z=3)
dict([['a', 1], ('b', 2)])
namespace(a=1).a
namespace(a=1).b
namespace(a=1).b.c
namespace(a=1)
namespace({'x': 2}).x
raise_exception('boom')
raise_exception(1)
strftime_now('%Y-%m-%d %H:%M:%S')
strftime_now('%d %b %Y, %A %B %a %j %y %p %I %%')
strftime_now('%-d %e')
s.upper()
s.lower()
'ß'.upper()
u.title()
"they're o'neil x2y".title()
'hELLO wORLD'.capitalize()
'ßa'.capitalize()
'hELLO'.swapcase()
sp.strip()
'[' ~ sp.strip() ~ ']'
'[' ~ sp.lstrip() ~ ']'
'[' ~ sp.rstrip() ~ ']'
'xxaxx'.strip('x')
'xyaxy'.lstrip('yx')
'xyaxy'.rstrip('yx')
'abc'.strip('')
'a,b,,c'.split(',')
'a,b,,c'.split(',', 1)
'a,b,,c'.rsplit(',', 1)
'  a  b c '.split()
'  a  b c '.split(none, 1)
'  a  b c '.rsplit(none, 1)
'  a  b c '.split(maxsplit=1)
''.split()
''.split(',')
'a'.split('')
'a\nb\r\nc\x0bd'.splitlines()
'a\nb\n'.splitlines(true)
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.startswith('ab')
'abc'.startswith(('x', 'ab'))
'abc'.startswith(['ab'])
'abc'.startswith('b', 1)
'abc'.endswith('bc')
'abc'.endswith(('x', 'c'))
'abc'.endswith('b', 0, 2)
'abc'.startswith('')
'abc'.startswith('', 5)
'aXbXc'.replace('X', '-')
'aXbXc'.replace('X', '-', 1)
'abc'.replace('', '-')
'abc'.replace('', '-', 2)
'👋a'.replace('', '-')
''.replace('', '-')
'abc'.replace('b', 1)
', '.join(['a', 'b'])
', '.join([1, 2])
'-'.join('abc')
'-'.join(d)
'abcabc'.find('c')
'abcabc'.rfind('c')
'abcabc'.find('x')
'abcabc'.index('x')
'abcabc'.index('b')
'abcabc'.find('c', 3)
'👋abc'.find('b')
'banana'.count('an')
'banana'.count('')
'banana'.count('a', 2)
'abc'.ljust(5) ~ '|'
'abc'.rjust(5, '*')
'abc'.center(6, '*')
'abcd'.center(7, '*')
'-42'.zfill(6)
'42'.zfill(1)
'abc'.removeprefix('ab')
'abc'.removesuffix('bc')
'abc'.isalpha()
'ab1'.isalnum()
'12'.isdigit()
'12²'.isdigit()
'1.2'.isdecimal()
' \n'.isspace()
''.isspace()
'abC'.islower()
'ABC1'.isupper()
'12'.isupper()
'{} and {}'.format(1, 'a')
'{1} {0} {x}'.format(1, 2, x=3)
'{{}} {!r}'.format('a')
'{:.2f} {:5d}| {:<4}| {:>4}| {:^5}| {:05d}'.format(3.14159, 42, 'a', 'b', 'c', -42)
'{}'.format()
'{:d}'.format('a')
'%s and %d' % ('a', 3)
'%s' % 'x'
'%s' % missing
'%(a)s-%(b)d' % {'a': 1, 'b': 2}
'%5.2f|%-5s|%05d|%+d|%x|%%' % (3.14159, 'ab', -42, 5, 255)
'%d' % 'a'
'%s %s' % ('a',)
'%s' % ('a', 'b')
'%r' % 'x'
'%s' % [1, 2]
'%.2s' % 'abc'
s.upper
s.nothing
s.__class__
s.__class__.__mro__
s._x
d.__class__
d._x
l.append
l.append(1)
l.append.x
d.update({'a': 1})
d.pop('a')
d.setdefault('z', 1)
l.sort()
d.items()
d.items() | length
d.items()[0]
d.keys()
d.values()
d.keys() | list
d.get('b')
d.get('zz')
d.get('zz', 5)
d.get('zz', default=5)
d.items is defined
d['items'] is defined
d['keys'] is callable
d.copy() == d
l.index(2)
l.index(9)
l.count(1)
(1, 2).index(2)
s | upper
s | lower
nil | upper
missing | upper
42 | string
42 | string is string
s | title
"they're o'neil (foo) x-y" | title
'hELLO' | capitalize
'[' ~ (sp | trim) ~ ']'
'xaxx' | trim('x')
5 | trim
s | length
u | length
l | count
d | length
missing | length
5 | length
nil | length
items | map(attribute='role') | length
l | first
l | last
[] | first
[] | last
e | first
s | first
d | first
d | last
items | map(attribute='n') | first
items | map(attribute='n') | last
l | sort
l | sort(reverse=true)
w | sort
w | sort(case_sensitive=true)
items | sort(attribute='n') | map(attribute='n') | list
items | sort(attribute='role,n') | map(attribute='n') | list
items | sort(attribute='zz') | length
[1, 'a'] | sort
w | unique | list
w | unique(true) | list
[[1], [1]] | unique | list
w | min
w | max
l | sum
items | sum(attribute='n')
items | sum('n', 10)
[] | max
['a'] | sum
l | reverse | list
s | reverse
l | join
l | join(', ')
l | join(d=', ')
items | join(', ', attribute='role')
items | join('-', 'n')
s | join('.')
[none, true, missing, 1.0] | join('|')
5 | join
s | replace('l', 'L')
s | replace('l', 'L', 1)
5 | replace(5, 6)
s | default('x')
missing | default('x')
missing | default
e | default('x')
e | default('x', true)
nil | default('x')
nil | d('x', boolean=true)
missing.x | default('y')
d.zz | default(d.b)
'42' | int
'42.9' | int
'x' | int
'x' | int(7)
'0x1f' | int(base=16)
'ff' | int(0, 16)
' 12 ' | int
'1_000' | int
3.99 | int
-3.99 | int
nil | int
missing | int
true | int
l | int
'1e3' | int
'42' | float
'x' | float
'x' | float(1.5)
'1e5' | float
'inf' | float
' -.5 ' | float
nil | float
3 | float
2.5 | round
3.5 | round
2.675 | round(2)
2.671 | round(2, 'ceil')
2.679 | round(2, 'floor')
25 | round
25 | round(-1)
35 | round(-1)
1234.5 | round(-2)
2.4 | round(method='ceil')
2.5 | round(1, 'x')
'a' | round
-5 | abs
-2.5 | abs
'a' | abs
missing | abs
'a\nb\n\nc' | indent
'a\nb\n\nc' | indent(2, true)
'a\nb\n\nc' | indent(2, blank=true)
'a\nb' | indent('> ')
'a\nb' | indent(width=1, first=true)
5 | indent
missing | indent
s | truncate(5)
s | truncate(8, true, '..', 0)
'foo bar baz qux' | truncate(9)
'foo bar baz qux' | truncate(11)
s | center(20) ~ '|'
'%s-%s' | format('a', 1)
'%(x)s' | format(x=1)
'a b  c-d' | wordcount
'<a href="x">\'&' | escape
'<a>' | e | e
'<a>' | safe
('<a>' | safe) + '<b>'
('<a>' | safe) ~ '<b>'
'<a>' | forceescape | forceescape
'<a>' | safe | string
'<a>' | safe | trim
'<a>' | safe | length
l | select | list
[0, 1, '', none, 'a'] | select | list
l | select('odd') | list
l | select('greaterthan', 1) | list
l | reject('odd') | list
l | reject('equalto', 3) | list
l | select('in', [1, 2]) | list
items | selectattr('role', 'equalto', 'user') | list | length
items | selectattr('text') | map(attribute='text') | list
items | selectattr('text', 'defined') | map(attribute='text') | list
items | rejectattr('text', 'defined') | map(attribute='n') | list
items | selectattr('x.y', 'defined') | list | length
items | selectattr('n', '>', 1) | map(attribute='n') | list
items | selectattr('role', 'eq', 'zz') is iterable
(items | selectattr('role', 'eq', 'zz')) or 'empty'
'yes' if items | selectattr('role', 'eq', 'zz') else 'no'
'yes' if items | selectattr('role', 'eq', 'zz') | list else 'no'
items | map(attribute='n') | list
items | map(attribute='zz') | list
items | map(attribute='zz', default='-') | list
items | map(attribute='x.y', default=0) | list
items | map('length') | list
w | map('upper') | join
w | map('replace', 'a', 'z') | list
l | map
l | select('nope') | list
l | map('nope') | list
(l | map('string'))[0]
l | map('string') | tojson
d | items | list
d | items | length
missing | items | list
5 | items | list
d | dictsort
d | dictsort(true)
{'a': 2, 'b': 1} | dictsort(by='value')
{'a': 2, 'b': 1} | dictsort(reverse=true)
l | list
s | list
d | list
5 | list
missing | list
d | tojson
d | tojson(indent=2)
d | tojson(indent=0)
d | tojson(indent='\t')
d | tojson(separators=(',', ':'))
d | tojson(sort_keys=true)
q | tojson
q | tojson(ensure_ascii=true)
'<&>\'' | tojson
[] | tojson(indent=2)
{} | tojson(indent=4)
{'a': [], 'b': {}} | tojson(indent=4)
[1, [2, {'a': (3, 4)}]] | tojson(indent=1)
(1, 2) | tojson
1.0 | tojson
1e100 | tojson
10 ** 30 | tojson
nil | tojson
missing | tojson
{1: 2, none: 3, true: 4, 1.5: 5} | tojson
{(1, 2): 3} | tojson
namespace(a=1) | tojson
d.items() | tojson
range(3) | tojson
{'b': 1, 1: 2} | tojson(sort_keys=true)
n is defined
missing is defined
missing is not defined
missing is undefined
d.zz is defined
nil is none
nil is not none
missing is none
n is number
t is number
s is string
missing is string
d is mapping
l is mapping
l is iterable
s is iterable
5 is iterable
missing is iterable
nil is iterable
l is sequence
s is sequence
d is sequence
5 is sequence
missing is sequence
d.items() is sequence
n is integer
t is integer
f is float
t is boolean
t is true
1 is true
no is false
0 is false
n is odd
n is even
n is divisibleby 3
n is divisibleby(2)
'abc' is lower
'ABC' is upper
5 is lower
n is eq 3
n is equalto(3)
n is ne 4
n is gt 2
n is ge 3
n is lt 2
n is le 3
n is greaterthan 2
n is lessthan 2
n is in [1, 3]
n is not in [1, 3]
'a' is in 'abc'
t is sameas true
1 is sameas true
range is callable
s is callable
missing is callable
'upper' is filter
'nope' is filter
'odd' is test
'a' is odd
n is odd and n is gt 2
not n is odd
n is defined and missing is not defined or no
items | length is gt 2
(items | length) > 2
n + 1 is odd
s is string and s | length > 3
1 is 2 is 3
n is nope
s | nope
s is
s |
1 +
(1
[1, 2
{'a' 1}
foo(
foo(a=1, 2)
'abc
1 2
a b
&
s.1a
{{}
}
x if
not
* 2
is none
true = 1
joiner(', ')()
cycler('a', 'b').next()
cycler()
range
joiner
l()
s()
5()
d.b()
s.upper(1)
s.replace('a')
s.strip(1)
s.split(1)
range()
s | replace
s | trim(1, 2)
s | upper(1)
s | join(', ', attribute='zz')
'a' ~ ('b' if t) ~ 'c'
loop
self
'a' in 'abc' == true
1 == 1 in [1, 2]
l | first + 1
l | sort | first
(l | sort)[0]
l | sort[0]
- 5 | abs
-5 | abs
(-5) | abs
s.split(',')[0].upper()
s.split(',')[-1].strip()
('a', 'b') in [('a', 'b')]
[[1, 2], [3]] | map('first') | list
d.a[4][1]
d["a"][-1]
{'a': {'b': {'c': 1}}}.a.b.c
{'items': 5}.items
{'items': 5}['items']
[1, 2, 3][1:][0]
'x' * 20000000
10 ** 100000
"%20000000d" % 1
[[1, 2], 3] | string
[1.0, 1e-7, 1e16] | string
(1.5,) | string
'é' in 'café'
'\u00e9' == 'é'
1 < 1.5 < 2
true and 1
10 ** 15 + 0.5
7 / 7
1 // 1.0
3 % 1.5
"a" "b" ~ "c"
""".strip("\n").split("\n")

TEMPLATES = [
    "",
    "\n",
    "a\n",
    "a\n\n",
    "a\r\nb\rc\n",
    "{{ s }}\n",
    "{{ s }}\nx\n\n",
    "  {% if t %}\n  x\n  {% endif %}\n y",
    "  {%- if t %}\n  x\n  {%- endif %}\n y",
    "a  {%- if t -%}  x  {%- endif -%}  b",
    "a \n {{- s -}} \n b",
    "a  {%+ if t %}x{% endif +%}\nb",
    "a\n  {%+ if t %}\nx{% endif %}\nb",
    "{% if t +%}\nx{% endif %}",
    "a\n   {# c #}\nb",
    "a {# c #} b",
    "a {#- c -#} b",
    "a\n  {#+ c +#}\nb",
    "{#-#}x",
    "{# {{ x }} {% if %} #}y",
    "{# a \n b",
    "  {{ s }}  ",
    "\t{% set x = 1 %}\t{{ x }}",
    "x{% set y = 1 %}\n\nz",
    "{% raw %}{{ x }}{% if %}{% endraw %}",
    "a {% raw -%}  {{ x }}  {%- endraw %} b",
    "  {% raw %}\n {{ x }}\n  {% endraw %}\nb",
    "a\n  {%- raw %} x {% endraw -%}\n b",
    "{% raw %}x",
    "{% for x in l %}{{ x }}{% endfor %}",
    "{% for x in l %}\n{{ x }}\n{% endfor %}\n",
    "{% for x in l -%}\n  {{ x }}\n{%- endfor %}",
    "{% for x in [] %}a{% else %}b{% endfor %}",
    "{% for x in missing %}a{% else %}b{% endfor %}",
    "{% for x in 5 %}a{% endfor %}",
    "{% for x in nil %}a{% endfor %}",
    "{% for c in u %}[{{ c }}]{% endfor %}",
    "{% for k in d %}{{ k }},{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d | items %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in [1] %}{{ k }}{% endfor %}",
    "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}",
    "{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for (a, b) in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}",
    "{% for x in l if x > 9 %}a{% else %}none{% endfor %}",
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}<{{ loop.nextitem }} {% endfor %}",
    "{% for x in l %}{{ loop.previtem.x }}{% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in l %}{{ loop }}{% endfor %}",
    "{% for x in l %}{{ loop.nothing }}|{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% break %}{% else %}e{% endfor %}",
    "{% break %}",
    "{% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}",
    "{% for x in range(3) %}{{ x }}{% endfor %}",
    "{% for x in l %}{% set y = x %}{% endfor %}{{ y }}",
    "{% set y = 0 %}{% for x in l %}{% set y = y + x %}{{ y }} {% endfor %}{{ y }}",
    "{% set ns = namespace(y=0) %}{% for x in l %}{% set ns.y = ns.y + x %}{% endfor %}{{ ns.y }}",
    "{% set ns = namespace() %}{% set ns.a = [] %}{% set ns.a = ns.a + [1] %}{{ ns.a }}{{ ns.b }}",
    "{% set d.x = 1 %}",
    "{% set missing.x = 1 %}",
    "{% for s in l %}{{ s }}{% endfor %}{{ s }}",
    "{% if t %}{% set z = 1 %}{% endif %}{{ z }}",
    "{% if no %}{% set z = 1 %}{% endif %}{{ z }}",
    "{% set s = 'new' %}{{ s }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a = 1, 2 %}{{ a }}",
    "{% set a, b = [1] %}",
    "{% set x %}a {{ n }} b{% endset %}[{{ x }}]",
    "{% set x | upper %}abc{% endset %}{{ x }}",
    "{% set x | upper | replace('A', 'z') %}abc{% endset %}{{ x }}",
    "{% set x %}<b>{% endset %}{{ x + '<i>' }}",
    "{% set x %}{% set y = 1 %}{% endset %}{{ y }}",
    "{% filter upper %}abc{{ n }}{% endfilter %}",
    "{% filter upper | replace('A', '-') %}abc{% endfilter %}",
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with a = 1, b = a %}{{ b }}{% endwith %}",
    "{% with %}{% set q2 = 1 %}{{ q2 }}{% endwith %}{{ q2 }}",
    "{% if n == 3 %}a{% elif n == 4 %}b{% else %}c{% endif %}",
    "{% if n == 4 %}a{% elif n == 3 %}b{% else %}c{% endif %}",
    "{% if no %}a{% elif no %}b{% else %}c{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}",
    "{% if no %}{{ missing.x.y }}{% endif %}ok",
    "{% if 1, 2 %}a{% endif %}",
    "{% if (1 if t else 0) %}a{% endif %}",
    "{% macro m(a, b=2) %}[{{ a }},{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}{{ m() }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a, b=n) %}{{ a }}{{ b }}{% endmacro %}{% set n = 9 %}{{ m(1) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}",
    "{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(a) %}{{ a }}{{ varargs }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}",
    "{% macro m() %}{% set x = 5 %}{{ x }}{% endmacro %}{{ m() }}{{ x }}",
    "{% macro m(k) %}{% if k > 0 %}{{ k }}{{ m(k - 1) }}{% endif %}{% endmacro %}{{ m(5) }}",
    "{% macro m(k) %}{{ m(k) }}{% endmacro %}{{ m(1) }}",
    "{% macro m() %} a {% endmacro %}[{{ m() | trim }}]{{ m() is string }}",
    "{% macro m() %}a{% endmacro %}{{ m }}",
    "{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}in {{ n }}{% endcall %}",
    "{% macro m() %}({{ caller(1, 2) }}){% endmacro %}{% call(a, b) m() %}{{ a }}{{ b }}{% endcall %}",
    "{% macro m() %}({{ caller() }}){% endmacro %}{{ m() }}",
    "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "{% macro m(x, y) %}{{ x }}{{ y }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(**{'x': 3, 'y': 4}) }}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{% for x in [[1, [2, [3]]]] recursive %}{% if x is number %}{{ x }}@{{ loop.depth }}{% else %}({{ loop(x) }}){% endif %}{% endfor %}",
    "{% for x in l %}{{ loop(x) }}{% endfor %}",
    "{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% generation %}a{{ n }}{% endgeneration %}",
    "{% generation %}{% set gx = 1 %}{% endgeneration %}[{{ gx }}]",
    "a\n  {%- generation %}\n  b\n  {%- endgeneration %}\n  c",
    "{% set j = joiner('|') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{% set _ = c.reset() %}{{ c.current }}",
    "{% print n, s %}",
    "{% set x = range(3) | map('string') %}{{ x | join }}{{ x | join }}",
    "{% set x = items | selectattr('n', 'gt', 1) %}{% for i in x %}{{ loop.length }}{{ i.n }}{% endfor %}",
    "{% if %}x{% endif %}",
    "{% if t %}",
    "{% endif %}",
    "{% for %}{% endfor %}",
    "{% for x l %}{% endfor %}",
    "{% for x in %}{% endfor %}",
    "{% for true in l %}{% endfor %}",
    "{% set %}",
    "{% set 1 = 2 %}",
    "{% set none = 2 %}",
    "{% set x = %}",
    "{% nope %}",
    "{% macro %}{% endmacro %}",
    "{% else %}",
    "{% if t %}{% endfor %}",
    "{{",
    "{{ s",
    "{{ s }",
    "{{ s %}",
    "{% if t }}",
    "{{ }}",
    "{{ ) }}",
    "{{ (] }}",
    "{{ {'a': {'b': 1}} }}",
    "{{ {'a': {'b': 1}}.a }}",
    "{ { s } } {a} {",
    "{{ '}}' }}{{ '{%' }}",
    "{{ s }}{{ n }}{{ s }}",
    "{{- s }} {{ s -}} \n{{ n }}",
    "{{+ n }}",
    "{{ n -}}\n\n x",
    "{%if t%}a{%endif%}",
    "{%-if t-%} a {%-endif-%}",
    "{% if not t %}a{% endif %}b",
    "{% set x = 'a' if t else 'b' %}{{ x }}",
    "{% set loop_messages = items[1:] %}{% for m in loop_messages %}{{ m['role'] }}{% endfor %}",
    "{% set items = items[1:] %}{{ items | length }}",
    "{% for m in items %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('order') }}{% endif %}{{ m.n }}{% endfor %}",
    "{% for m in items[::-1] %}{{ m.n }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{{ items[items | length - 1].n }}{{ items[loop.index0] }}",
    "{% do l.append(1) %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% block b %}x{% endblock %}",
    "line1\n\n  {% if t %}\n\n  x\n  {% endif %}\n\nend\n",
    "\n\n{% if t %}\n\n\n{% endif %}\n",
    "\u00a0{% if t %}x{% endif %}",
    "a\u2028  {% if t %}x{% endif %}",
    "{% if t %}\r\nx{% endif %}\r\n",
    "{{ 'a\r\nb' }}",
    "{% set x = {'a': 1,\n 'b': [1,\n2]} %}{{ x.b[1] }}",
    "{%\nif t\n%}a{%\nendif\n%}",
]

KINDS = {
    jinja2.TemplateSyntaxError: "SYNTAX",
    jinja2.UndefinedError: "UNDEFINED",
    jinja2.exceptions.SecurityError: "SECURITY",
    SyntaxError: "SYNTAX",
    TypeError: "TYPE",
    RecursionError: "LIMIT",
    MemoryError: "LIMIT",
}
FIXED = datetime.datetime(2026, 1, 2, 3, 4, 5)


def kind(error):
    if type(error) is jinja2.TemplateError:
        return "RAISED"
    return next((k for c, k in KINDS.items() if isinstance(error, c)), "VALUE")


def case(source):
    try:
        template = chat_template_utils._cached_compile_jinja_template(source)
        template.environment.globals["strftime_now"] = FIXED.strftime
        return [source, template.render(**CONTEXT)]
    except Exception as error:
        return [source, None, kind(error)]


# What Nibble refuses although Python does something: it would print an address, take all memory, or is not there.
OTHERWISE = {
    "{{ s.upper }}": "UNSUPPORTED",
    "{{ range }}": "UNSUPPORTED",
    "{{ joiner }}": "UNSUPPORTED",
    "{{ 'x' * 20000000 }}": "LIMIT",
    "{{ 10 ** 100000 }}": "LIMIT",
    '{{ "%20000000d" % 1 }}': "LIMIT",
    "{{ range(100001) }}": "LIMIT",
    "{{ self }}": "UNSUPPORTED",
    "{{ (items | selectattr('role', 'eq', 'zz')) or 'empty' }}": "UNSUPPORTED",
    "{{ {'items': 5}.items }}": "UNSUPPORTED",
    "{{ l | map }}": "VALUE",
    "{{ s | nope }}": "UNSUPPORTED",
    "{{ n is nope }}": "UNSUPPORTED",
    "{{ l | select('nope') | list }}": "UNSUPPORTED",
    "{{ l | map('nope') | list }}": "UNSUPPORTED",
    "{% include 'x' %}": "UNSUPPORTED",
    "{% extends 'x' %}": "UNSUPPORTED",
    "{% block b %}x{% endblock %}": "UNSUPPORTED",
    "{% do l.append(1) %}": "UNSUPPORTED",
}

if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    sources = ["{{ " + line + " }}" for line in EXPRESSIONS] + TEMPLATES
    cases = []
    for source in sources:
        otherwise = OTHERWISE.get(source)
        cases.append([source, None, otherwise] if otherwise else case(source))
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases)
    out.write_text('{"context": ' + json.dumps(CONTEXT) + ',\n"cases": [\n' + lines + "\n]}\n")
    print(len(cases), "cases,", sum(len(c) == 3 for c in cases), "of them errors")
