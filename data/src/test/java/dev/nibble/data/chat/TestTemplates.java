package dev.nibble.data.chat;

import dev.nibble.data.Golden;
import dev.nibble.jinja.Template;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Chat templates for tests. */
final class TestTemplates {
  /** Two questions, answered. */
  static final Conversation TALK =
      new Conversation(
          List.of(
              Conversation.message("user", "one 👋"),
              Conversation.message("assistant", "First é"),
              Conversation.message("user", "two"),
              Conversation.message("assistant", "Second.")),
          Optional.empty());

  private TestTemplates() {}

  /** A golden one. */
  static ChatTemplate template(String file) throws IOException {
    return template(file, Map.of());
  }

  /** The same with further variables. */
  static ChatTemplate template(String file, Map<String, Value> more) throws IOException {
    return of(file, Files.readString(Golden.path("templates", file)), more);
  }

  /** The text of a template. */
  static ChatTemplate inline(String source) {
    return of("inline", source, Map.of());
  }

  private static ChatTemplate of(String name, String source, Map<String, Value> more) {
    Map<String, Value> variables = new HashMap<>(more);
    variables.put("bos_token", Values.of("<s>"));
    variables.put("eos_token", Values.of("</s>"));
    return new ChatTemplate(
        name,
        Template.parse(name, source),
        Optional.empty(),
        variables,
        LocalDateTime.of(2026, 1, 2, 3, 4, 5));
  }

  /** A call of a function f. */
  static Value call() {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", "f");
    function.put("arguments", Map.of("x", 1));
    return Values.of(List.of(Map.of("type", "function", "function", function)));
  }
}
