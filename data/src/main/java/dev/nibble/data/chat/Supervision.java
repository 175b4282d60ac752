package dev.nibble.data.chat;

import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Which messages are learned.
 *
 * @param roles those of these roles
 * @param lastOnly of these only the last
 * @param field the field of a message that leaves it out when it is false or 0
 */
public record Supervision(Set<String> roles, boolean lastOnly, String field) {
  /** Everything that the assistant says. */
  public static final Supervision STANDARD =
      new Supervision(Set.of(Conversation.ASSISTANT), false, "weight");

  public Supervision {
    roles = Set.copyOf(roles);
  }

  /**
   * The numbers of the messages that are learned, from 0.
   *
   * @throws IllegalArgumentException when a message's field says something else than yes or no
   */
  List<Integer> learned(Conversation conversation) {
    List<Integer> learned = new ArrayList<>();
    for (int i = 0; i < conversation.messages().size(); i++) {
      if (roles.contains(conversation.role(i)) && isWanted(i, conversation.messages().get(i))) {
        learned.add(i);
      }
    }
    return lastOnly && !learned.isEmpty() ? List.of(learned.getLast()) : learned;
  }

  private boolean isWanted(int number, Dict message) {
    Value wanted = message.get(field);
    if (wanted == null || wanted.equals(Value.TRUE)) { // 1 and 1.0 are equal to True
      return true;
    }
    if (wanted.equals(Value.FALSE)) {
      return false;
    }
    throw new IllegalArgumentException(
        "the field '%s' of message %d should be 0 or 1, or false or true"
            .formatted(field, number + 1));
  }
}
