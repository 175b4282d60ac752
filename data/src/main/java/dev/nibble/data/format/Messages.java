package dev.nibble.data.format;

import dev.nibble.data.rows.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Conversations: a column with a list of {@code {role, content}}. Each message is written as plain
 * text,
 *
 * <pre>
 * &lt;|role|&gt;
 * content&lt;|end|&gt;
 * </pre>
 *
 * with a line break between messages. What the assistant says, with its end marker, is supervised.
 *
 * @param column that holds the list
 */
public record Messages(String column) implements PromptFormat {
  private static final String ASSISTANT = "assistant";
  private static final List<String> ROLES = List.of("system", "user", ASSISTANT, "tool");

  /** Ends each message. */
  public static final String END = "<|end|>";

  @Override
  public Example example(Row row) {
    List<Segment> segments = new ArrayList<>();
    int number = 0;
    for (Object item : row.list(column)) {
      number++;
      if (!(item instanceof Map<?, ?> message)
          || !(message.get("role") instanceof String role)
          || !(message.get("content") instanceof String content)) {
        throw row.invalid(
            "message %d in column '%s' is %s; expected a struct with the texts 'role' and 'content'."
                .formatted(number, column, item));
      }
      if (!ROLES.contains(role)) {
        throw row.invalid(
            "message %d in column '%s' has the role '%s'; expected one of %s."
                .formatted(number, column, role, ROLES));
      }
      segments.add(new Segment((number > 1 ? "\n" : "") + "<|" + role + "|>\n", false));
      segments.add(new Segment(content + END, role.equals(ASSISTANT)));
    }
    return new Example(segments);
  }

  @Override
  public List<String> requiredColumns() {
    return List.of(column);
  }
}
