package dev.nibble.data.format;

import dev.nibble.data.chat.Conversation;
import dev.nibble.data.chat.ConversationSource;
import dev.nibble.data.rows.Row;
import dev.nibble.errors.Remedy;
import dev.nibble.jinja.Value.Dict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Instruction rows as conversations of one turn: the user gives the instruction and, on a line of
 * its own, the input; the assistant says the output. A column {@code system} becomes the system's
 * message.
 *
 * @param prompt template of the user's message, in place of the plain instruction and input
 * @param names names of the columns
 */
public record AlpacaConversations(Optional<PromptTemplate> prompt, Alpaca.Columns names)
    implements ConversationSource {
  @Override
  public Conversation conversation(Row row) {
    row.value("history")
        .filter(turns -> !Alpaca.isEmpty(turns))
        .ifPresent(_ -> {
          throw row.invalid(
              "column 'history' has no place in a conversation of one turn",
              Remedy.CONVERSATIONS_OR_REMOVE_COLUMN);
        });
    boolean asks = prompt.map(PromptTemplate::asksInstruction).orElse(true);
    String instruction = asks ? row.text(names.instruction()) : "";
    List<Dict> messages = new ArrayList<>();
    row.optionalText("system")
        .filter(text -> !text.isEmpty())
        .ifPresent(text -> messages.add(Conversation.message("system", text)));
    messages.add(
        Conversation.message(
            "user", asked(instruction, row.optionalText(names.input()).orElse(""))));
    messages.add(Conversation.message(Conversation.ASSISTANT, row.text(names.output())));
    return new Conversation(messages, Optional.empty());
  }

  private String asked(String instruction, String input) {
    return prompt
        .map(p -> p.fill(instruction, input))
        .orElseGet(() -> Conversation.request(instruction, input));
  }

  @Override
  public List<String> columns() {
    return List.of("system", "history", names.instruction(), names.input(), names.output());
  }

  @Override
  public Conversation question(String instruction, String input) {
    return new Conversation(
        List.of(Conversation.message("user", asked(instruction, input))), Optional.empty());
  }
}
