package dev.nibble.data.chat;

import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Messages with roles, and tools, in the form that chat templates read.
 *
 * @param messages whole messages: {@code role}, {@code content} and whatever else a row gives them
 * @param tools schemas of the functions that the model may call
 */
public record Conversation(List<Dict> messages, Optional<Value> tools) {
  /** The role of what the model says. */
  public static final String ASSISTANT = "assistant";

  public Conversation {
    messages = List.copyOf(messages);
  }

  /** A message with text. */
  public static Dict message(String role, String content) {
    Map<Value, Value> message = new LinkedHashMap<>();
    message.put(Values.of("role"), Values.of(role));
    message.put(Values.of("content"), Values.of(content));
    return new Dict(message);
  }

  /** The user's message for an instruction, an input, or both, each on a line of its own. */
  public static String request(String instruction, String input) {
    return instruction.isEmpty() || input.isEmpty()
        ? instruction + input
        : instruction + "\n" + input;
  }

  /** The first messages. */
  public Conversation first(int count) {
    return new Conversation(messages.subList(0, count), tools);
  }

  /** The same with one message changed. */
  Conversation with(int number, Dict message) {
    List<Dict> changed = new ArrayList<>(messages);
    changed.set(number, message);
    return new Conversation(changed, tools);
  }

  /** The role of a message; empty when it has none. */
  public String role(int number) {
    return role(messages.get(number));
  }

  static String role(Dict message) {
    return message.get("role") instanceof Value.Text role ? role.text() : "";
  }
}
