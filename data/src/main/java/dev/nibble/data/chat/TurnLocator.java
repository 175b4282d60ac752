package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import java.util.Optional;

/**
 * Locator of messages in the rendering of a template that does not mark them. An answer starts
 * where the prompt ends that generation would be given, and ends where the rendering of the
 * messages up to it ends.
 *
 * <p>Where a template renders an earlier message differently once others follow, the end of the
 * answer is known from the rendering that ends with it: the longest tail of that which stands in
 * the text. {@link RewrittenTurnLocator} finds what is left.
 */
final class TurnLocator {
  private final ChatTemplate template;
  private final Conversation conversation;
  private final TurnEnd ends;
  private final String text;

  /**
   * @param rendering the whole conversation as text
   */
  TurnLocator(ChatTemplate template, Conversation conversation, String rendering) {
    this.template = template;
    this.conversation = conversation;
    this.ends = template.turnEnd(conversation);
    this.text = ends.withoutHeader(rendering);
  }

  /**
   * A turn, in UTF-16 units of the text.
   *
   * @param start its first character
   * @param end after its last
   * @param follows whether it follows the generation prompt, as far as that is known
   */
  record Turn(int start, int end, boolean follows) {}

  /**
   * The place of a message.
   *
   * @throws InvalidConversation when it is not certain
   */
  Turn find(int number) {
    boolean last = number == conversation.messages().size() - 1;
    Optional<String> upTo =
        last ? Optional.of(text) : rendered(conversation.first(number + 1), false);
    Optional<String> before =
        conversation.role(number).equals(Conversation.ASSISTANT)
            ? rendered(conversation.first(number), true)
            : Optional.empty();
    boolean prompted = before.filter(text::startsWith).isPresent();
    int start = prompted ? before.orElseThrow().length() : startWithin(before, number);
    boolean follows = prompted || start < 0;
    int end = upTo.filter(text::startsWith).map(String::length).orElse(-1);
    if (start >= 0 && end < start) {
      end = endOfTail(start, upTo);
    }
    if (start < 0 || end < start) {
      var exact = new RewrittenTurnLocator(template, conversation, text, number).find(start, upTo);
      start = exact.start();
      end = exact.end();
    }
    return new Turn(start, end, follows);
  }

  boolean isAll(String turn) {
    return ends.isAll(turn);
  }

  /** The start of an answer that goes other ways within the generation prompt; -1 for unknown. */
  private int startWithin(Optional<String> prompt, int number) {
    if (prompt.isEmpty()) {
      return -1;
    }
    String asked = rendered(conversation.first(number), false).orElse("");
    if (asked.isEmpty() || !text.startsWith(asked) || !prompt.get().startsWith(asked)) {
      return -1;
    }
    String header = prompt.get().substring(asked.length());
    int shared = Overlap.prefix(header, text.substring(asked.length()));
    return asked.length() + Overlap.closed(header.substring(0, shared)).length();
  }

  private int endOfTail(int start, Optional<String> upTo) {
    Optional<String> turn = upTo.flatMap(ends::continued);
    if (turn.isEmpty()) {
      return -1;
    }
    int length = Overlap.longestSuffix(turn.get(), text, start);
    boolean found =
        length >= ends.middle().length() && !text.substring(start, start + length).isBlank();
    return found ? start + length : -1;
  }

  private Optional<String> rendered(Conversation part, boolean addGenerationPrompt) {
    try {
      String rendering = template.render(part, addGenerationPrompt).text();
      return Optional.of(addGenerationPrompt ? rendering : ends.withoutHeader(rendering));
    } catch (JinjaException e) {
      return Optional.empty();
    }
  }
}
