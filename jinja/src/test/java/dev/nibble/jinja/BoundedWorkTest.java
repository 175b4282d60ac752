package dev.nibble.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Templates from strangers end soon, whatever each step of them does. Without a charge for its
 * work, each of these runs for a minute or for hours; with it, for a second or two. The bound here
 * is generous, for slow and busy machines.
 */
class BoundedWorkTest {
  private static final Duration BOUND = Duration.ofSeconds(20);
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);

  private static final String MANY = "{% for i in range(99999) %}{% for j in range(99999) %}";
  private static final String ALL = "{% endfor %}{% endfor %}";

  /** In place of @, the body of two loops. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        // Nothing but steps.
        "@",
        "{% set x = namespace() %}@{% set y = x.y is defined %}",
        // Searches whose plain form takes the product of both lengths.
        "{{ ('a'*9999999).find('a'*4999999~'b') }}@",
        "{% set x='a'*9999999 %}@{% set y = x.find('a'*4999999~'b') %}",
        "{% set x='a'*9999999 %}@{% set y = x.rfind('b'~'a'*4999999) %}",
        "{% set x='a'*9999999 %}@{% set y = ('a'*4999999~'b') in x %}",
        "{% set x='a'*9999999 %}@{% set y = x.count('a'*4999~'b') %}",
        "{% set x='a'*9999999 %}@{% set y = x.replace('a'*4999~'b', '') %}",
        "{% set x='a'*9999999 %}@{% set y = x|replace('a'*4999~'b', '') %}",
        "{% set x='a'*9999999 %}@{% set y = x.split('a'*4999~'b') %}",
        "{% set x='a'*9999999 %}@{% set y = x.rsplit('b'~'a'*4999) %}",
        "{% set x='a'*9999999 %}@{% set y = x.partition('a'*4999~'b') %}",
        "{% set x='a'*9999999 %}@{% set y = x.rpartition('b'~'a'*4999) %}",
        "{% set x='a'*999999 %}@{% set y = x.strip('b'*999999~'a') %}",
        "{% set x='a'*999999 %}@{% set y = x|trim('b'*999999~'a') %}",
        "{% set x=('a'*9999999,)*99 %}{% set y='a'*9999998~'b' %}@{% set z = y.startswith(x) %}",
        // Many small parts.
        "{% set x='a '*4999999 %}@{% set y = x.split() %}",
        "{% set x='a '*4999999 %}@{% set y = x.rsplit() %}",
        "{% set x='a '*4999999 %}@{% set y = x.rsplit(' ') %}",
        "{% set x='a'*9999999 %}@{% set y = x.replace('a', 'b') %}",
        "{% set x='a'*9999999 %}@{% set y = x.replace('', 'b') %}",
        "{% set x='\\n'*9999999 %}@{% set y = x.splitlines() %}",
        "{% set x='\\n'*9999 %}@{% set y = x|indent(999, true, true) %}",
        "{% set x='a'*9999999 %}@{% for c in x %}{% endfor %}",
        "{% set x='a'*9999999 %}@{% set y = x|list %}",
        "{% set x='a'*9999999 %}@{% set y = x|first %}",
        "{% set x='a'*9999999 %}@{% set y = x|reverse %}",
        "{% set x='a'*9999999 %}@{% set y = x[::-1] %}",
        "{% for a in (range(99999)|map('string')|list)|trim %}{% for b in (range(99999)|map('string')|list)|trim %}{% endfor %}{% endfor %}",
        "{% set x=['']*99999 %}@{% set y = x|join %}",
        "{% set x=['']*99999 %}@{% set y = ''.join(x) %}",
        // Numbers.
        "{% set a = ('9'*4000)|int %}@{% set x = a // 7 %}",
        "{% set a = ('9'*4000)|int %}@{% set x = a % 7 %}",
        "{% set a = ('9'*2000)|int %}@{% set x = a * a %}",
        "{% set a = ('9'*4000)|int %}@{% set x = a / 7 %}",
        "{% set a = ('9'*4000)|int %}@{% set x = a|string %}",
        "{% set a = ('9'*4000)|int %}@{% set x = '%d' % a %}",
        "{% set a = ('9'*4000)|int %}@{% set x = '%x' % a %}",
        "{% set a = ('9'*4000)|int %}@{% set x = '{}'.format(a) %}",
        "{% set a = ('9'*4000)|int %}@{% set x = a|round(-999) %}",
        "{% set a = ('9'*300)|int %}@{% set x = a < 1e300 %}",
        "{% set a = '9'*4000 %}@{% set x = a|int %}",
        "{% set a = '9'*4000 %}@{% set x = a|float %}",
        "@{% set x = 7 ** 4000 %}",
        "@{% set x = '%f' % 1e308 %}",
        "@{% set x = '%.999f' % 1e-308 %}",
        "@{% set x = '{:f}'.format(1e308) %}",
        "@{% set x = 1.2345678901234567e-308|string %}",
        "@{% set x = 1.5e-308|round(999) %}",
        "@{% set x = 1e308|int %}",
        // Formats and dates.
        "@{% set x = strftime_now('%A %B %d %Y %H %M %S') %}",
        "{% set x='%c'|replace('c','A')*999999 %}@{% set y = strftime_now(x) %}",
        "{% set x='%%'*4999999 %}@{% set y = x % () %}",
        "{% set x='{{'~'}}' %}{% set x=x*999999 %}@{% set y = x.format() %}",
        "{% set x='%s'*99999 %}{% set z=(1,)*99999 %}@{% set y = x % z %}",
        // Letters.
        "@{% set x = 'ſß'|upper %}",
        "{% set x='Σ'*9999999 %}@{% set y = x|lower %}",
        "{% set x=('Σ'~'.'*9999)*999 %}@{% set y = x.lower() %}",
        "{% set x='ß'*4999999 %}@{% set y = x.title() %}",
        "{% set x='ß'*4999999 %}@{% set y = x|title %}",
        "{% set x='ß'*4999999 %}@{% set y = x.swapcase() %}",
        "{% set x='a b'*3999999 %}@{% set y = x|wordcount %}",
        "{% set x='a'*9999999 %}@{% set y = x.isalpha() %}",
        "{% set x='a'*9999999 %}@{% set y = x is lower %}",
        "{% set x='<'*2999999 %}@{% set y = x|e %}",
        // Values as text.
        "{% set x=['\\x00'*999999] %}@{% set y = x|string %}",
        "{% set x=['a'*9999] * 999 %}@{% set y = '%.1s' % (x,) %}",
        "{% set x=['a'*9999] * 999 %}@{% set y = x is lower %}",
        "{% set x='é'*999999 %}@{% set y = x|tojson(ensure_ascii=true) %}",
        "{% set x=[[[[[[1]]]]]] * 9999 %}@{% set y = x|tojson(indent='a'*999) %}",
        "{% set x=[0]*999999 %}@{% set y = x|tojson|length %}",
        "{% set x='a'*9999999 %}@{% set y = {}[x] %}",
        // Comparisons, keys and order.
        "{% set x=['a'*9999999]*999 %}{% set y=['a'*9999999]*999 %}@{% set z = x == y %}",
        "{% set x=['a'*9999999]*999 %}{% set y=['a'*9999999]*999 %}@{% set z = x < y %}",
        "{% set x=['a'*9999999]*999 %}{% set y='a'*9999999 %}@{% set z = x.count(y) %}",
        "{% set x=('a'*9999999,)*99 %}@{% set z = {x: 1} %}",
        "{% set x=['A'*99999]*99 %}@{% set z = x|sort %}",
        "{% set x=['A'*99999]*99 %}@{% set z = x|max %}",
        "{% set x=['A'*99999]*99 %}@{% set z = x|unique|list %}",
        // Keys with one hash in Java: each of Aa and BB sixteen times.
        "{% set ns=namespace(s=',') %}{% for i in range(16) %}{% set ns.s = ns.s.replace(',', 'Aa,') ~ ns.s.replace(',', 'BB,') %}{% endfor %}{% set x=ns.s.split(',') %}@{% set z = x|unique|list %}",
        "{% set x=(('9'*400~',')*9999).split(',')|map('int')|list %}@{% set z = x|unique|list %}",
        "{% set x=range(99999) %}{% set y=range(99998) %}@{% set z = x == y %}",
        // Calls with many arguments, and lists that grow.
        "{% set x=[0]*999999 %}{% macro m() %}{{ varargs|length }}{% endmacro %}@{{ m(*x) }}",
        "{% set x=[0]*999999 %}@{% set y = x + x %}",
        "{% set x=[0]*999999 %}@{% set y = x[1:] %}",
        "{% set x=[0]*999999 %}@{% set y = x|reverse|list %}",
        "{% set ns=namespace(g=[1]) %}@{% set ns.g = ns.g|map('string') %}{% endfor %}{{ ns.g|list }}{% for k in [] %}"
      })
  void endsAtTheLimit(String template) {
    String source =
        template.contains("@")
            ? template.replaceFirst("@", Matcher.quoteReplacement(MANY)) + ALL
            : template;
    long start = System.nanoTime();
    JinjaException thrown =
        catchThrowableOfType(
            JinjaException.class, () -> Template.parse("hostile", source).render(Map.of(), NOW));
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    assertThat(thrown).isNotNull();
    assertThat(took).isLessThan(BOUND);
  }

  /** Half a million characters, which is more than most models take. */
  @ParameterizedTest
  @MethodSource("dev.nibble.jinja.GoldenTemplatesTest#templates")
  void longConversationsStayFarFromTheLimit(String name) throws IOException {
    Limits few = new Limits(Limits.STANDARD.steps() / 4, Limits.STANDARD.text(), 400);
    Template template = Template.parse(name, Files.readString(Golden.path("templates", name)), few);
    List<Value> messages = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      messages.add(Values.of(Map.of("role", "user", "content", "Straße 👋 <b>\n".repeat(80))));
      messages.add(
          Values.of(
              Map.of("role", "assistant", "content", "<think>\nhm\n</think>\n\n4 ".repeat(40))));
    }
    Map<String, Value> variables =
        Map.of(
            "messages",
            Values.of(messages),
            "bos_token",
            Values.of("<s>"),
            "eos_token",
            Values.of("</s>"),
            "add_generation_prompt",
            Value.FALSE);
    assertThat(template.render(variables, NOW).text()).hasSizeGreaterThan(200_000);
  }
}
