package dev.nibble.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a template is, it renders within the limits or says what is wrong. */
class FuzzTest {
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);
  private static final Limits LIMITS = new Limits(20_000, 10_000, 400);
  private static final List<String> SOUP =
      List.of(
          "{{",
          "}}",
          "{%",
          "%}",
          "{%-",
          "-%}",
          "{#",
          "#}",
          "if",
          "else",
          "elif",
          "endif",
          "for",
          "in",
          "endfor",
          "set",
          "endset",
          "macro",
          "endmacro",
          "call",
          "endcall",
          "filter",
          "endfilter",
          "generation",
          "endgeneration",
          "raw",
          "endraw",
          "with",
          "endwith",
          "break",
          "continue",
          "recursive",
          "loop",
          "caller",
          "messages",
          "m",
          "x",
          "role",
          "content",
          "'a'",
          "\"b\"",
          "'\\u12'",
          "1",
          "2.5",
          "99999",
          "(",
          ")",
          "[",
          "]",
          "{",
          "}",
          ",",
          ":",
          "|",
          ".",
          "+",
          "-",
          "*",
          "**",
          "/",
          "//",
          "%",
          "~",
          "==",
          "<",
          "=",
          "is",
          "not",
          "and",
          "or",
          "none",
          "true",
          "range",
          "namespace",
          "join",
          "map",
          "select",
          "sort",
          "tojson",
          "upper",
          "split",
          "format",
          "items",
          "defined",
          "string",
          "👋",
          "\n",
          " ");

  private final Map<String, Value> context =
      Map.of(
          "messages",
          Values.of(
              List.of(
                  Map.of("role", "user", "content", "Hi 👋"),
                  Map.of("role", "assistant", "content", "<think>\nx\n</think>\n\nyes"))),
          "tools",
          Value.NONE,
          "bos_token",
          Values.of("<s>"),
          "eos_token",
          Values.of("</s>"),
          "add_generation_prompt",
          Value.TRUE);

  @Test
  void changedTemplatesOfModels() throws IOException {
    Random random = new Random(1);
    List<String> sources = new ArrayList<>();
    try (Stream<Path> files = Files.list(Golden.path("templates"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".jinja")).sorted().toList()) {
        sources.add(Files.readString(file));
      }
    }
    int rendered = 0;
    for (int i = 0; i < 3000; i++) {
      StringBuilder source = new StringBuilder(sources.get(random.nextInt(sources.size())));
      for (int change = random.nextInt(3); change >= 0; change--) {
        change(source, random);
      }
      rendered += isRendered(source.toString()) ? 1 : 0;
    }
    assertThat(rendered).isBetween(100, 2900);
  }

  private static void change(StringBuilder source, Random random) {
    int at = random.nextInt(source.length());
    int end = Math.min(source.length(), at + 1 + random.nextInt(12));
    switch (random.nextInt(4)) {
      case 0 -> source.delete(at, end);
      case 1 -> source.insert(at, SOUP.get(random.nextInt(SOUP.size())));
      case 2 -> source.replace(at, end, SOUP.get(random.nextInt(SOUP.size())));
      default -> source.insert(at, source.substring(at, end));
    }
    if (source.isEmpty()) {
      source.append('x');
    }
  }

  @Test
  void soupOfTokens() {
    Random random = new Random(2);
    int rendered = 0;
    for (int i = 0; i < 4000; i++) {
      StringBuilder source = new StringBuilder(random.nextBoolean() ? "{{ " : "{% if ");
      for (int n = 1 + random.nextInt(12); n > 0; n--) {
        source.append(SOUP.get(random.nextInt(SOUP.size()))).append(' ');
      }
      source.append(source.charAt(1) == '{' ? "}}" : "%}x{% endif %}");
      rendered += isRendered(source.toString()) ? 1 : 0;
    }
    assertThat(rendered).isGreaterThan(10);
  }

  /** Anything but a text or a JinjaException goes through, and the test fails. */
  private boolean isRendered(String source) {
    try {
      String text = Template.parse("fuzz", source, LIMITS).render(context, NOW).text();
      assertThat(text.length()).isLessThanOrEqualTo(LIMITS.text());
      return true;
    } catch (JinjaException e) {
      assertThat(e.getMessage()).startsWith("fuzz, line ");
      return false;
    } catch (RuntimeException | StackOverflowError e) {
      throw new AssertionError(source, e);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% set x = range(99999) | list %}{% endfor %}",
        "{% set x = range(99999) | list %}{% for a in x %}{% set y = x | sort %}{% endfor %}",
        "{% set x = 'a' * 9999999 %}{% for a in range(99999) %}{% set y = x.find('b') + (x | length) %}{% endfor %}",
        "{% set x = range(99999) | list %}{% for a in x %}{% set y = dict(a=x)[(x, x)] %}{% endfor %}",
        "{% set ns = namespace(x='ab') %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for a in range(999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
        "{% set ns = namespace(x=2) %}{% for a in range(99) %}{% set ns.x = ns.x ** 9 %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ 'a' * 999999999 }}",
        "{{ [1] * 999999999 }}",
        "{{ 'a'.center(999999999) }}",
        "{{ '%999999d' % 1 * 999 }}",
        "{{ ('a' * 20000) | replace('', 'b' * 2000) }}",
        "{{ ('a' * 9000) | replace('a', 'b' * 9000) }}",
        "{{ range(99999) | map('string') | join('b' * 9000) }}",
        "{{ ['a' * 9000] * 9000 }}",
        "{{ (['a' * 9000] * 9000) | tojson }}",
        "{{ [[1]] | tojson(indent=999999999) }}",
        "{{ 'a\nb' | indent(999999999) }}"
      })
  void staysWithinTheLimits(String source) {
    assertThatThrownBy(() -> Template.parse("greedy", source).render(context, NOW))
        .isInstanceOfSatisfying(
            JinjaException.class, e -> assertThat(e.kind()).isEqualTo(JinjaException.Kind.LIMIT));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {"( )", "[ ]", "{1: }", "not: :", "-: :", "x[ ]", "f( )"})
  void refusesDeepNesting(String opening, String closing) {
    String open = opening.replace("not:", "not ").replace("-:", "- ");
    String close = closing.replace(":", "");
    String source = "{{ " + open.repeat(20_000) + "1" + close.repeat(20_000) + " }}";
    assertThatThrownBy(() -> Template.parse("deep", source))
        .isInstanceOfSatisfying(
            JinjaException.class, e -> assertThat(e.kind()).isEqualTo(JinjaException.Kind.LIMIT));
  }

  @Test
  void refusesNumbersOfManyDigits() {
    for (String digits : List.of("9".repeat(1_000_000), "1_".repeat(1_000_000) + "1")) {
      assertThatThrownBy(() -> Template.parse("long", "{{ " + digits + " }}"))
          .isInstanceOfSatisfying(
              JinjaException.class, e -> assertThat(e.kind()).isEqualTo(JinjaException.Kind.LIMIT));
    }
  }

  @Test
  void longChainsAreNoStackOverflow() {
    for (String link : List.of(" + x", " | trim", ".a", " ~ x", " and x", " if x else y")) {
      String chain = "{{ x" + link.repeat(20_000) + " }}";
      isRendered(chain);
    }
  }
}
