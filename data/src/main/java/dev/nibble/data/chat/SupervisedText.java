package dev.nibble.data.chat;

import dev.nibble.data.chat.TurnLocator.Turn;
import dev.nibble.errors.Remedy;
import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Rendering;
import dev.nibble.jinja.Span;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A conversation rendered as text, with the spans that the loss is computed on.
 *
 * <p>A template with {@code {% generation %}} marks the assistant's messages itself. With others
 * {@link TurnLocator} finds them: a message spans from the end of the prompt that generation would
 * be given, to the end of what the template writes behind it. A span that cannot be found for
 * certain is an error. An answer of which nothing is left but its end is not learned; where the
 * template marks it, one that is empty in the row.
 *
 * @param text the whole rendering
 * @param spans the supervised spans, in order and apart, in code points
 * @param shortfalls what of the answers is not learned though the row has it
 */
public record SupervisedText(String text, List<Span> spans, Set<Shortfall> shortfalls) {
  public SupervisedText {
    spans = List.copyOf(spans);
    shortfalls = Set.copyOf(shortfalls);
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
    return template.of(conversation).marksGeneration()
        ? marked(messages, template.turnEnd(conversation), conversation, whole, supervision.empty())
        : located(
            messages,
            new TurnLocator(template, conversation, whole.text()),
            conversation,
            whole.text(),
            supervision.empty());
  }

  private static SupervisedText located(
      List<Integer> messages,
      TurnLocator locator,
      Conversation conversation,
      String text,
      boolean empty) {
    List<Span> spans = new ArrayList<>();
    Set<Shortfall> shortfalls = EnumSet.noneOf(Shortfall.class);
    for (int number : messages) {
      Turn turn = locator.find(number);
      String learned = text.substring(turn.start(), turn.end());
      Said said = Said.of(conversation.messages().get(number));
      boolean wanted = empty && said.isEmpty();
      if (!wanted) {
        shortfalls.addAll(said.missingIn(learned));
      }
      if (!wanted && (locator.isAll(learned) || said.isLost(learned))) {
        shortfalls.add(Shortfall.EMPTY);
        continue;
      }
      if (!turn.follows()) {
        shortfalls.add(Shortfall.PROMPT);
      }
      spans.add(new Span(text.codePointCount(0, turn.start()), text.codePointCount(0, turn.end())));
    }
    return new SupervisedText(text, apart(spans), shortfalls);
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

  /** The text of each span. */
  public List<String> parts() {
    return parts(text, spans);
  }

  private static List<String> parts(String text, List<Span> spans) {
    List<String> parts = new ArrayList<>();
    int at = 0;
    int points = 0;
    for (Span span : spans) {
      int start = text.offsetByCodePoints(at, span.start() - points);
      at = text.offsetByCodePoints(start, span.end() - span.start());
      points = span.end();
      parts.add(text.substring(start, at));
    }
    return parts;
  }

  private static SupervisedText marked(
      List<Integer> messages,
      TurnEnd end,
      Conversation conversation,
      Rendering whole,
      boolean empty) {
    List<Span> spans = apart(chosen(messages, conversation, whole));
    List<String> parts = parts(whole.text(), spans);
    String marked = String.join("", parts);
    List<Said> said =
        messages.stream().map(number -> Said.of(conversation.messages().get(number))).toList();
    Set<Shortfall> shortfalls = EnumSet.noneOf(Shortfall.class);
    said.stream()
        .filter(s -> !(empty && s.isEmpty()))
        .forEach(s -> shortfalls.addAll(s.missingIn(marked)));
    // Without a span for each message it is not known whose they are.
    boolean known = spans.size() == said.size();
    boolean anyEmpty = said.stream().anyMatch(Said::isEmpty);
    List<Span> learned = new ArrayList<>();
    for (int i = 0; i < spans.size(); i++) {
      boolean silent = known ? said.get(i).isEmpty() : anyEmpty && end.isAll(parts.get(i));
      if (empty || !silent) {
        learned.add(spans.get(i));
      }
    }
    return new SupervisedText(whole.text(), learned, shortfalls);
  }

  /** The spans of these messages among those that the template marks. */
  private static List<Span> chosen(
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
          "the template marks with {% generation %} what the assistant says, and nothing else can"
              + " be trained on",
          Remedy.ASSISTANT_ONLY);
    }
    if (whole.generated().size() != assistant.size()) {
      throw new InvalidConversation(
          "the template marks %d spans for %d messages of the assistant, so it is not clear which to leave out"
              .formatted(whole.generated().size(), assistant.size()));
    }
    return messages.stream().map(i -> whole.generated().get(assistant.indexOf(i))).toList();
  }
}
