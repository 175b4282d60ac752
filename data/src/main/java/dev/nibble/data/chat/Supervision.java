package dev.nibble.data.chat;

import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Selection of the messages whose tokens the loss is computed on.
 *
 * @param roles roles of the messages
 * @param lastOnly whether only the last of these is selected
 * @param field the field of a message that excludes it when it is false or 0
 * @param empty whether a message that says nothing counts, from which a model learns to end at once
 */
public record Supervision(Set<String> roles, boolean lastOnly, String field, boolean empty) {
  /** Everything that the assistant says. */
  public static final Supervision STANDARD =
      new Supervision(Set.of(Conversation.ASSISTANT), false, "weight", false);

  public Supervision {
    roles = Set.copyOf(roles);
  }

  /**
   * The numbers of the selected messages, from 0.
   *
   * @throws InvalidConversation when a message's field holds something else than yes or no
   */
  List<Integer> supervised(Conversation conversation) {
    List<Integer> selected = new ArrayList<>();
    for (int i = 0; i < conversation.messages().size(); i++) {
      if (roles.contains(conversation.role(i)) && isWanted(i, conversation.messages().get(i))) {
        selected.add(i);
      }
    }
    return lastOnly && !selected.isEmpty() ? List.of(selected.getLast()) : selected;
  }

  private boolean isWanted(int number, Dict message) {
    Value wanted = message.get(field);
    if (wanted == null || wanted.equals(Value.TRUE)) { // 1 and 1.0 are equal to True
      return true;
    }
    if (wanted.equals(Value.FALSE)) {
      return false;
    }
    throw new InvalidConversation(
        "the field '%s' of message %d should be 0 or 1, or false or true"
            .formatted(field, number + 1));
  }
}
