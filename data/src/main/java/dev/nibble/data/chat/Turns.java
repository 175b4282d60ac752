package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Rendering;
import dev.nibble.jinja.Span;
import dev.nibble.jinja.Template;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds what is learned in the text of a conversation.
 *
 * <p>A template with {@code {% generation %}} says it itself. With others a turn goes from the text
 * before it, which is the rendering of the messages before with a generation prompt, to the end of
 * the rendering of the messages up to it; both must be a prefix of the whole text. Where a template
 * writes an earlier turn differently once others follow, {@link RewrittenTurn} finds it. What
 * cannot be found for certain is an error.
 */
final class Turns {
  private final ChatTemplate template;
  private final Conversation conversation;
  private final Rendering whole;

  private Turns(ChatTemplate template, Conversation conversation, Rendering whole) {
    this.template = template;
    this.conversation = conversation;
    this.whole = whole;
  }

  /**
   * The learned spans, in order.
   *
   * @param whole the rendering of the whole conversation
   * @throws IllegalArgumentException when a turn cannot be found for certain; the message says why
   */
  static List<Span> learned(
      ChatTemplate template, Conversation conversation, Rendering whole, Supervision supervision) {
    List<Integer> learned = supervision.learned(conversation);
    Turns turns = new Turns(template, conversation, whole);
    Template used = template.of(conversation);
    List<Span> spans = used.marksGeneration() ? turns.marked(learned) : turns.found(learned);
    List<Span> kept = new ArrayList<>();
    for (Span span : spans) {
      if (!kept.isEmpty() && span.start() < kept.getLast().end()) {
        throw new IllegalArgumentException("two learned turns overlap in the text of the template");
      }
      if (span.end() > span.start()) {
        kept.add(span);
      }
    }
    return kept;
  }

  private List<Span> marked(List<Integer> learned) {
    List<Integer> assistant = new ArrayList<>();
    for (int i = 0; i < conversation.messages().size(); i++) {
      if (conversation.role(i).equals(Conversation.ASSISTANT)) {
        assistant.add(i);
      }
    }
    if (learned.equals(assistant)) {
      return whole.generated();
    }
    if (!assistant.containsAll(learned)) {
      throw new IllegalArgumentException(
          "the template marks with {% generation %} what the assistant says, so roles_to_train can only be [assistant]");
    }
    if (whole.generated().size() != assistant.size()) {
      throw new IllegalArgumentException(
          "the template marks %d stretches for %d messages of the assistant, so it is not clear which to leave out"
              .formatted(whole.generated().size(), assistant.size()));
    }
    return learned.stream().map(i -> whole.generated().get(assistant.indexOf(i))).toList();
  }

  private List<Span> found(List<Integer> learned) {
    return learned.stream().map(this::found).toList();
  }

  private Span found(int number) {
    boolean last = number == conversation.messages().size() - 1;
    String text = whole.text();
    Optional<String> upTo =
        last ? Optional.of(text) : rendered(conversation.first(number + 1), false);
    Optional<String> before =
        conversation.role(number).equals(Conversation.ASSISTANT)
            ? rendered(conversation.first(number), true)
            : Optional.empty();
    int start = before.filter(text::startsWith).map(String::length).orElse(-1);
    int end = upTo.filter(text::startsWith).map(String::length).orElse(-1);
    if (start < 0 || end < start) {
      RewrittenTurn turn = new RewrittenTurn(template, conversation, text, number);
      Span exact = turn.find(start, upTo, before);
      start = exact.start();
      end = exact.end();
    }
    return new Span(text.codePointCount(0, start), text.codePointCount(0, end));
  }

  private Optional<String> rendered(Conversation part, boolean addGenerationPrompt) {
    try {
      return Optional.of(template.render(part, addGenerationPrompt).text());
    } catch (JinjaException e) {
      return Optional.empty();
    }
  }
}
