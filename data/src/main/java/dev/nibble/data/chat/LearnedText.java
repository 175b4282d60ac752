package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Rendering;
import dev.nibble.jinja.Span;
import java.util.List;
import java.util.Optional;

/**
 * A conversation as text, with what of it is learned.
 *
 * @param text all of it
 * @param spans what is learned, in order and apart, in code points
 */
public record LearnedText(String text, List<Span> spans) {
  public LearnedText {
    spans = List.copyOf(spans);
  }

  /**
   * Renders a conversation.
   *
   * @throws JinjaException when the template fails or refuses the conversation
   * @throws IllegalArgumentException when it is not certain what is learned; the message says why
   */
  public static LearnedText of(
      ChatTemplate template, Conversation conversation, Supervision supervision) {
    Rendering whole = template.render(conversation, false);
    return new LearnedText(whole.text(), Turns.learned(template, conversation, whole, supervision));
  }

  /**
   * What a template writes after an answer at the end of a conversation.
   *
   * @throws JinjaException when the template refuses a question with an answer
   */
  public static String endOfTurn(ChatTemplate template) {
    String answer = "Quartz";
    String text =
        template
            .render(
                new Conversation(
                    List.of(
                        Conversation.message("user", "?"),
                        Conversation.message(Conversation.ASSISTANT, answer)),
                    Optional.empty()),
                false)
            .text();
    int at = text.lastIndexOf(answer);
    return at < 0 ? "" : text.substring(at + answer.length());
  }
}
