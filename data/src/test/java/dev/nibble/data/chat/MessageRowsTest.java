package dev.nibble.data.chat;

import static dev.nibble.data.Rows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.Struct;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Rows with conversations, in the forms they come in. */
class MessageRowsTest {
  private static final MessageRows MESSAGES = new MessageRows(MessageFields.MESSAGES);
  private static final MessageRows SHAREGPT = new MessageRows(MessageFields.SHAREGPT);

  @Test
  void messagesAreKeptWholeWithoutNulls() {
    Map<String, @Nullable Object> message = new HashMap<>();
    message.put("role", "assistant");
    message.put("content", "a");
    message.put("name", null);
    message.put("reasoning_content", "r");
    Conversation conversation = MESSAGES.conversation(row("messages", List.of(message)));
    assertThat(conversation.messages().getFirst())
        .isEqualTo(
            Values.of(Map.of("role", "assistant", "content", "a", "reasoning_content", "r")));
    assertThat(conversation.tools()).isEmpty();
  }

  /** An Arrow file fills the fields that other rows have; a null of JSON is what the row says. */
  @Test
  void nullsInCallsAndSchemasStayUnlessTheyFillAStruct() {
    for (boolean filled : new boolean[] {false, true}) {
      Map<String, @Nullable Object> arguments = filled ? new Struct(2) : new LinkedHashMap<>();
      arguments.put("port", "Brest");
      arguments.put("x", null);
      Map<String, @Nullable Object> message = new HashMap<>();
      message.put("role", "assistant");
      message.put("content", null);
      message.put(
          "tool_calls", List.of(Map.of("function", Map.of("name", "f", "arguments", arguments))));
      Conversation conversation =
          MESSAGES.conversation(row("messages", List.of(message), "tools", List.of(arguments)));
      Map<String, @Nullable Object> kept = new LinkedHashMap<>(arguments);
      if (filled) {
        kept.remove("x");
      }
      assertThat(conversation.messages().getFirst().get("content")).isEqualTo(Value.NONE);
      assertThat(conversation.messages().getFirst().get("tool_calls"))
          .isEqualTo(
              Values.of(List.of(Map.of("function", Map.of("name", "f", "arguments", kept)))));
      assertThat(conversation.tools()).contains(Values.of(List.of(kept)));
    }
  }

  @Test
  void aColumnWithThePromptOfTheSystemIsItsMessage() {
    Map<String, Object> user = Map.of("role", "user", "content", "u");
    Map<String, Object> system = Map.of("role", "system", "content", "S");
    List<Dict> expected = List.of(message(system), message(user));
    assertThat(MESSAGES.conversation(row("messages", List.of(user), "system", "S")).messages())
        .isEqualTo(expected);
    assertThat(
            MESSAGES.conversation(row("messages", List.of(system, user), "system", "S")).messages())
        .isEqualTo(expected);
    assertThat(MESSAGES.conversation(row("messages", List.of(user), "system", "")).messages())
        .hasSize(1);
    refused(
        MESSAGES,
        row("messages", List.of(system, user), "system", "other"),
        "column 'system' and the first message");
  }

  private static Dict message(Map<String, Object> fields) {
    return (Dict) Values.of(fields);
  }

  @Test
  void shareGptsRolesAreTranslated() {
    Conversation conversation =
        SHAREGPT.conversation(
            row(
                "conversations",
                List.of(
                    Map.of("from", "human", "value", "h"),
                    Map.of("from", "gpt", "value", "g"),
                    Map.of(
                        "from",
                        "function_call",
                        "value",
                        "{\"name\": \"f\", \"arguments\": {\"x\": 1}}"),
                    Map.of("from", "observation", "value", "o")),
                "tools",
                "[{\"name\": \"f\"}]"));
    assertThat(conversation.messages())
        .map(m -> String.valueOf(m.get("role") instanceof Value.Text t ? t.text() : ""))
        .containsExactly("user", "assistant", "assistant", "tool");
    assertThat(conversation.messages().get(2).get("tool_calls"))
        .isEqualTo(
            Values.of(
                List.of(
                    Map.of(
                        "type",
                        "function",
                        "function",
                        Map.of("name", "f", "arguments", Map.of("x", 1))))));
    assertThat(conversation.tools()).contains(Values.of(List.of(Map.of("name", "f"))));
  }

  @Test
  void rolesCanBeNamed() {
    MessageRows own =
        new MessageRows(MessageFields.SHAREGPT.withRoles(Map.of("assistant", List.of("bot"))));
    Row row = row("conversations", List.of(Map.of("from", "bot", "value", "b")));
    assertThat(own.conversation(row).role(0)).isEqualTo("assistant");
    refused(
        SHAREGPT,
        row,
        "message 1 in column 'conversations' is from 'bot'",
        "Map the name to a role");
  }

  @Test
  void numbersAreSaidAsText() {
    Row row = row("conversations", List.of(Map.of("from", "gpt", "value", 4)), "tools", "null");
    Conversation conversation = SHAREGPT.conversation(row);
    assertThat(conversation.messages()).containsExactly(Conversation.message("assistant", "4"));
    assertThat(conversation.tools()).isEmpty();
  }

  @Test
  void saysWhichMessageIsWrong() {
    refused(
        MESSAGES, row("messages", List.of(Map.of("from", "x"))), "message 1", "[from]", "'role'");
    refused(MESSAGES, row("messages", List.of(Map.of("role", "user"))), "has no 'content'");
    refused(MESSAGES, row("messages", List.of()), "holds no message");
    refused(MESSAGES, row("messages", "text"), "should hold a list, but holds text");
    refused(
        MESSAGES,
        row("messages", List.of(Map.of("role", "user", "content", "x")), "tools", "{"),
        "column 'tools' is not valid JSON");
    refused(
        SHAREGPT,
        row("conversations", List.of(Map.of("from", "function_call", "value", "f()"))),
        "not valid JSON");
  }

  private static void refused(MessageRows rows, Row row, String... parts) {
    assertThatThrownBy(() -> rows.conversation(row))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageStartingWith("test.jsonl, row 7: ")
        .hasMessageContainingAll(parts);
  }
}
