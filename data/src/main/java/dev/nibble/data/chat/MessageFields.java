package dev.nibble.data.chat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Names of columns, fields and roles in rows that hold conversations.
 *
 * @param messages the column with the list of messages
 * @param role the field of a message that says who speaks
 * @param content the field with what is said
 * @param tools the column with the schemas of tools: a list, or a JSON text; may be missing
 * @param roles for roles that templates know by another name, that name
 * @param strict whether a role that is not in {@code roles} is an error
 */
public record MessageFields(
    String messages,
    String role,
    String content,
    String tools,
    Map<String, String> roles,
    boolean strict) {
  private static final Map<String, String> SHAREGPT_ROLES =
      Map.of(
          "human", "user",
          "user", "user",
          "gpt", Conversation.ASSISTANT,
          "chatgpt", Conversation.ASSISTANT,
          "assistant", Conversation.ASSISTANT,
          "system", "system",
          "tool", "tool",
          "observation", "tool",
          "function_response", "tool",
          "function_call", "function_call");

  /** As OpenAI calls them: {@code messages} with {@code role} and {@code content}. */
  public static final MessageFields MESSAGES =
      new MessageFields("messages", "role", "content", "tools", Map.of(), false);

  /** As ShareGPT calls them: {@code conversations} with {@code from} and {@code value}. */
  public static final MessageFields SHAREGPT =
      new MessageFields("conversations", "from", "value", "tools", SHAREGPT_ROLES, true);

  public MessageFields {
    roles = Map.copyOf(roles);
  }

  /**
   * The same with other names for roles.
   *
   * @param names for each role of the template, the names that rows use
   */
  public MessageFields withRoles(Map<String, List<String>> names) {
    Map<String, String> all = new HashMap<>(roles);
    names.forEach((ours, theirs) -> theirs.forEach(name -> all.put(name, ours)));
    return new MessageFields(messages, role, content, tools, all, strict);
  }
}
