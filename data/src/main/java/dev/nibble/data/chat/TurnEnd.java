package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import java.util.List;
import java.util.Optional;

/**
 * What a chat template writes behind an answer, seen in renderings of short conversations.
 *
 * @param last at the end of a conversation, such as {@code <|end|>}, a line break and {@code </s>}
 *     of Phi-3; empty when it is not known
 * @param middle where a question follows
 * @param header the header of the next answer, where the template writes it behind every
 *     conversation whether asked for or not, as the original one of Llama 3 does; else empty
 */
record TurnEnd(String last, String middle, String header) {
  private static final TurnEnd UNKNOWN = new TurnEnd("", "", "");
  private static final String ANSWER = "Quartz";
  private static final String QUESTION = "Zephyr-7";

  /** Looks at what a template writes behind an answer in a conversation with these tools. */
  static TurnEnd of(ChatTemplate template, Optional<Value> tools) {
    Dict question = Conversation.message("user", "?");
    Dict answer = Conversation.message(Conversation.ASSISTANT, ANSWER);
    try {
      Conversation ended = new Conversation(List.of(question, answer), tools);
      String end = behindAnswer(template.render(ended, false).text());
      String prompted = behindAnswer(template.render(ended, true).text());
      Dict next = Conversation.message("user", QUESTION);
      Conversation goesOn = new Conversation(List.of(question, answer, next), tools);
      String whole = template.render(goesOn, false).text();
      String between = behindAnswer(whole);
      int at = between.indexOf(QUESTION);
      if (at < 0) {
        return new TurnEnd(end, end, "");
      }
      return of(end, prompted, between.substring(0, at), template.withoutBos(whole));
    } catch (JinjaException e) {
      return UNKNOWN;
    }
  }

  /**
   * @param end text behind an answer at the end of a conversation
   * @param prompted the same with a generation prompt
   * @param between text between an answer and the next question
   * @param conversation a whole conversation
   */
  private static TurnEnd of(String end, String prompted, String between, String conversation) {
    if (between.startsWith(end)) {
      return new TurnEnd(end, end, "");
    }
    String shared = end.substring(0, Overlap.prefix(end, between));
    if (!end.equals(prompted)) {
      return new TurnEnd(end, Overlap.upToTag(shared), "");
    }
    // The template takes no notice of add_generation_prompt. What the next answer's header and the
    // next question's have in common belongs to neither end; a conversation starts with it too.
    int header = Overlap.longestSuffix(shared, conversation, 0);
    String own = header > 0 ? shared.substring(0, shared.length() - header) : firstTag(shared);
    return new TurnEnd(own, own, end.substring(own.length()));
  }

  private static String behindAnswer(String text) {
    int at = text.lastIndexOf(ANSWER);
    return at < 0 ? "" : text.substring(at + ANSWER.length());
  }

  /** The text up to the end of its first tag and the white space behind it. */
  private static String firstTag(String text) {
    int end = 0;
    while (end < text.length() && !Overlap.endsTag(text.charAt(end))) {
      end++;
    }
    if (end == text.length()) {
      return text.substring(0, text.length() - text.stripLeading().length());
    }
    end++;
    while (end < text.length() && Character.isWhitespace(text.charAt(end))) {
      end++;
    }
    return text.substring(0, end);
  }

  /** A rendering without the header of an answer that nobody asked for. */
  String withoutHeader(String rendering) {
    return !header.isEmpty() && rendering.endsWith(header)
        ? rendering.substring(0, rendering.length() - header.length())
        : rendering;
  }

  /** A rendering that ends with an answer, as it would be if a question followed. */
  Optional<String> continued(String rendering) {
    return rendering.endsWith(last)
        ? Optional.of(rendering.substring(0, rendering.length() - last.length()) + middle)
        : Optional.empty();
  }

  /** Whether a turn is nothing but its end. */
  boolean isAll(String turn) {
    String said = turn.strip();
    return said.isEmpty() || said.equals(last.strip()) || said.equals(middle.strip());
  }
}
