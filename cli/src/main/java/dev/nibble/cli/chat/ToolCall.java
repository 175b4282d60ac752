package dev.nibble.cli.chat;

import dev.nibble.data.json.InvalidJson;
import dev.nibble.data.json.JsonReader;
import dev.nibble.jinja.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A call of a function in an answer: a JSON object with its name and its arguments, whatever a
 * model's template writes around it.
 *
 * @param name of the function
 * @param arguments by name
 */
record ToolCall(String name, Map<?, ?> arguments) {
  private static final List<String> ARGUMENTS = List.of("arguments", "parameters");

  /** The calls of an answer, in order. */
  static List<ToolCall> in(String answer) {
    List<ToolCall> calls = new ArrayList<>();
    int from = answer.indexOf('{');
    while (from >= 0) {
      int end = endOfObject(answer, from);
      Optional<ToolCall> call = end < 0 ? Optional.empty() : of(answer.substring(from, end));
      call.ifPresent(calls::add);
      from = answer.indexOf('{', call.isPresent() ? end : from + 1);
    }
    return calls;
  }

  /** The place behind the brace that closes the one at {@code from}; -1 when none does. */
  private static int endOfObject(String text, int from) {
    int depth = 0;
    boolean inText = false;
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (inText && c == '\\') {
        i++;
      } else if (c == '"') {
        inText = !inText;
      } else if (!inText && c == '{') {
        depth++;
      } else if (!inText && c == '}' && --depth == 0) {
        return i + 1;
      }
    }
    return -1;
  }

  private static Optional<ToolCall> of(String json) {
    Object parsed;
    try {
      parsed = JsonReader.parse(json);
    } catch (InvalidJson e) {
      return Optional.empty(); // braces of something else
    }
    if (parsed instanceof Map<?, ?> object && object.get("name") instanceof String name) {
      for (String key : ARGUMENTS) {
        if (object.get(key) instanceof Map<?, ?> arguments) {
          return Optional.of(new ToolCall(name, arguments));
        }
      }
    }
    return Optional.empty();
  }

  /** As a line of a program. */
  String shown() {
    return arguments.entrySet().stream()
        .map(e -> e.getKey() + ": " + Values.json(Values.of(e.getValue())))
        .collect(Collectors.joining(", ", name + "(", ")"));
  }
}
