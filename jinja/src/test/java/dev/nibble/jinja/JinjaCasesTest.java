package dev.nibble.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** Small templates give what Jinja2 gives; .ci/interop/jinja_cases.py wrote the cases. */
class JinjaCasesTest {
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);

  @Test
  void everyCaseIsAsInPython() throws IOException {
    Map<?, ?> file;
    try (InputStream in = JinjaCasesTest.class.getResourceAsStream("/jinja/cases.json")) {
      file = new JsonMapper().readValue(Objects.requireNonNull(in), Map.class);
    }
    Map<String, Value> context = new HashMap<>();
    ((Map<?, ?>) Objects.requireNonNull(file.get("context")))
        .forEach((k, v) -> context.put(String.valueOf(k), Values.of(v)));
    List<?> cases = (List<?>) Objects.requireNonNull(file.get("cases"));
    assertThat(cases).hasSizeGreaterThan(700);
    List<String> different = new ArrayList<>();
    for (Object item : cases) {
      List<?> c = (List<?>) item;
      String source = String.valueOf(c.getFirst());
      String expected = c.size() == 2 ? "gives " + c.get(1) : "fails with " + c.get(2);
      String actual = result(source, context);
      if (!actual.equals(expected) && !actual.startsWith(expected + " (")) {
        different.add("%s%n   expected: %s%n   actual:   %s".formatted(source, expected, actual));
      }
    }
    assertThat(different).as(String.join("\n", different)).isEmpty();
  }

  private static String result(String source, Map<String, Value> context) {
    try {
      return "gives " + Template.parse("case", source).render(context, NOW).text();
    } catch (JinjaException e) {
      return "fails with " + e.kind() + " (" + e.getMessage() + ")";
    }
  }
}
