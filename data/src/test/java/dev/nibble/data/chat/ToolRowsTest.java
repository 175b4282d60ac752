package dev.nibble.data.chat;

import static dev.nibble.data.chat.TestTemplates.inline;
import static dev.nibble.data.chat.TestTemplates.template;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.format.Chat;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** Rows with tool calls become the text that transformers makes of them. */
class ToolRowsTest {
  private static final JsonMapper JSON = new JsonMapper();

  /** .ci/interop/tool_rows.py wrote the cases. */
  @Test
  void callsAndSchemasAreWrittenAsInPython() throws IOException {
    List<?> cases;
    try (InputStream in = ToolRowsTest.class.getResourceAsStream("/chat/tool_rows.json")) {
      cases = JSON.readValue(Objects.requireNonNull(in), List.class);
    }
    assertThat(cases).hasSizeGreaterThan(40);
    List<String> different = new ArrayList<>();
    for (Object item : cases) {
      Map<?, ?> c = (Map<?, ?>) item;
      String name = String.valueOf(c.get("template"));
      String text = text(template(name), (Map<?, ?>) Objects.requireNonNull(c.get("row")));
      if (!text.equals(c.get("text"))) {
        different.add("%s %s%n%s".formatted(name, c.get("row"), text));
      }
    }
    assertThat(different).as(String.join("\n\n", different)).isEmpty();
  }

  private static String text(ChatTemplate template, Map<?, ?> row) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    row.forEach((k, v) -> values.put(String.valueOf(k), v));
    return chat(template).example(new Row(values, "test.jsonl", 7)).text();
  }

  private static Chat chat(ChatTemplate template) {
    return new Chat(new MessageRows(MessageFields.MESSAGES), template, Supervision.STANDARD);
  }

  private static String called(String template, Object arguments) {
    Map<String, Object> message =
        Map.of(
            "role",
            "assistant",
            "content",
            "",
            "tool_calls",
            List.of(Map.of("function", Map.of("name", "f", "arguments", arguments))));
    String text =
        text(
            inline(template),
            Map.of("messages", List.of(Map.of("role", "user", "content", "?"), message)));
    return text.substring(text.indexOf('|') + 1);
  }

  /** Each template gets arguments in the form that it can write. */
  @Test
  void argumentsAreObjectsOrTextAsTheTemplateNeedsThem() {
    String calls =
        "{%% for m in messages %%}{%% if m.tool_calls %%}|{%% for t in m.tool_calls %%}%s{%% endfor %%}{%% endif %%}{%% endfor %%}";
    String quoting = calls.formatted("{{ t.function.arguments | tojson }}");
    String items =
        calls.formatted(
            "{% for k, v in t.function.arguments | items %}{{ k }}={{ v }};{% endfor %}");
    String joining = calls.formatted("{{ 'f:' + t.function.arguments }}");
    for (Object port : List.of("{\"port\": \"Brest\"}", Map.of("port", "Brest"))) {
      assertThat(called(quoting, port)).isEqualTo("{\"port\": \"Brest\"}");
      assertThat(called(items, port)).isEqualTo("port=Brest;");
      assertThat(called(joining, port)).isEqualTo("f:{\"port\": \"Brest\"}");
    }
    assertThat(called(quoting, "")).isEqualTo("{}");
    assertThat(called(joining, "f(x)")).isEqualTo("f:f(x)");
    assertThatThrownBy(() -> called(quoting, "f(x)"))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageStartingWith("test.jsonl, row 7: the arguments of a call in message 2")
        .hasMessageContaining("no JSON: 'f(x)'");
  }
}
