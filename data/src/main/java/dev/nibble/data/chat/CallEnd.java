package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The end of a turn of tool calls, where a chat template ends it otherwise than an answer: Llama
 * 3.1's writes {@code <|eom_id|>} behind a call of a built-in tool.
 *
 * @param within text from the first call to the last, which is no end of a turn
 * @param behind text behind the last call's arguments, up to the end of the turn
 */
public record CallEnd(String within, String behind) {
  private static final String PROBE = ToolCallForm.PROBE;
  private static final int MOST_CALLS = 2;

  /** Empty where the template writes no calls, or ends them as it ends answers. */
  static Optional<CallEnd> of(ChatTemplate template) {
    return of(template, Optional.empty()).or(() -> of(template, Optional.of(tools())));
  }

  private static Optional<CallEnd> of(ChatTemplate template, Optional<Value> tools) {
    for (int calls = MOST_CALLS; calls > 0; calls--) { // some templates take one call a turn
      List<Dict> messages = List.of(Conversation.message("user", "?"), ToolCallForm.probe(calls));
      Conversation conversation = new Conversation(messages, tools);
      TurnEnd end = template.turnEnd(conversation);
      String text;
      try {
        text = end.withoutHeader(template.render(template.adapted(conversation), false).text());
      } catch (JinjaException | InvalidConversation e) {
        continue;
      }
      int first = text.indexOf(PROBE);
      int last = text.lastIndexOf(PROBE);
      if (first == last || end.last().isBlank() || text.endsWith(end.last())) {
        return Optional.empty();
      }
      String behind = text.substring(last + PROBE.length());
      return Optional.of(new CallEnd(text.substring(first, last), behind));
    }
    return Optional.empty();
  }

  /** The schema of a function, as rows have it. */
  private static Value tools() {
    Map<String, Object> parameters = Map.of("type", "object", "properties", Map.of());
    Map<String, Object> function =
        Map.of("name", "f", "description", "f", "parameters", parameters);
    return Values.of(List.of(Map.of("type", "function", "function", function)));
  }
}
