package dev.nibble.data.chat;

import dev.nibble.errors.Remedy;
import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Rendering;
import dev.nibble.jinja.Span;
import dev.nibble.jinja.Template;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A conversation rendered as text, with the spans that the loss is computed on.
 *
 * <p>A template with {@code {% generation %}} marks the assistant's messages itself. With others a
 * message spans from the end of the text before it, which is the rendering of the messages before
 * with a generation prompt, to the end of the rendering of the messages up to it; both must be a
 * prefix of the whole text. Where a template renders an earlier message differently once others
 * follow, {@link RewrittenTurnLocator} finds it. A span that cannot be found for certain is an
 * error.
 *
 * @param text the whole rendering
 * @param spans the supervised spans, in order and apart, in code points
 */
public record SupervisedText(String text, List<Span> spans) {
  public SupervisedText {
    spans = List.copyOf(spans);
  }

  /**
   * Renders a conversation.
   *
   * @throws JinjaException when the template fails or refuses the conversation
   * @throws InvalidConversation when a span cannot be found for certain; the message says why
   */
  public static SupervisedText of(
      ChatTemplate template, Conversation conversation, Supervision supervision) {
    Rendering whole = template.render(conversation, false);
    List<Integer> messages = supervision.supervised(conversation);
    Template used = template.of(conversation);
    List<Span> spans =
        used.marksGeneration()
            ? marked(messages, conversation, whole)
            : messages.stream()
                .map(number -> located(number, template, conversation, whole.text()))
                .toList();
    return new SupervisedText(whole.text(), apart(spans));
  }

  private static List<Span> apart(List<Span> spans) {
    List<Span> kept = new ArrayList<>();
    for (Span span : spans) {
      if (!kept.isEmpty() && span.start() < kept.getLast().end()) {
        throw new InvalidConversation(
            "two messages to train on overlap in the text of the template");
      }
      if (span.end() > span.start()) {
        kept.add(span);
      }
    }
    return kept;
  }

  /** The spans of these messages among those that the template marks. */
  private static List<Span> marked(
      List<Integer> messages, Conversation conversation, Rendering whole) {
    List<Integer> assistant = new ArrayList<>();
    for (int i = 0; i < conversation.messages().size(); i++) {
      if (conversation.role(i).equals(Conversation.ASSISTANT)) {
        assistant.add(i);
      }
    }
    if (messages.equals(assistant)) {
      return whole.generated();
    }
    if (!assistant.containsAll(messages)) {
      throw new InvalidConversation(
          "the template marks with {% generation %} what the assistant says, and nothing else can be trained on",
          Remedy.ASSISTANT_ONLY);
    }
    if (whole.generated().size() != assistant.size()) {
      throw new InvalidConversation(
          "the template marks %d spans for %d messages of the assistant, so it is not clear which to leave out"
              .formatted(whole.generated().size(), assistant.size()));
    }
    return messages.stream().map(i -> whole.generated().get(assistant.indexOf(i))).toList();
  }

  /** The span of a message that the template does not mark. */
  private static Span located(
      int number, ChatTemplate template, Conversation conversation, String text) {
    boolean last = number == conversation.messages().size() - 1;
    Optional<String> upTo =
        last ? Optional.of(text) : rendered(template, conversation.first(number + 1), false);
    Optional<String> before =
        conversation.role(number).equals(Conversation.ASSISTANT)
            ? rendered(template, conversation.first(number), true)
            : Optional.empty();
    int start = before.filter(text::startsWith).map(String::length).orElse(-1);
    int end = upTo.filter(text::startsWith).map(String::length).orElse(-1);
    if (start < 0 || end < start) {
      Span exact =
          new RewrittenTurnLocator(template, conversation, text, number).find(start, upTo, before);
      start = exact.start();
      end = exact.end();
    }
    return new Span(text.codePointCount(0, start), text.codePointCount(0, end));
  }

  private static Optional<String> rendered(
      ChatTemplate template, Conversation part, boolean addGenerationPrompt) {
    try {
      return Optional.of(template.render(part, addGenerationPrompt).text());
    } catch (JinjaException e) {
      return Optional.empty();
    }
  }
}
