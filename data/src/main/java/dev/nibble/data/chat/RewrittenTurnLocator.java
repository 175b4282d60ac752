package dev.nibble.data.chat;

import dev.nibble.errors.Remedy;
import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Span;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Locator of a message that a template renders differently when others follow: Qwen3 drops earlier
 * thinking, Mistral moves the system prompt, Phi-3 ends only the last turn with the end-of-sequence
 * token.
 *
 * <p>The content is found by rendering the conversation with other content in its place: the text
 * before and after it must stay the same. What follows the content within the turn is known from
 * the rendering that ends with it, and must stand in the whole text too.
 */
final class RewrittenTurnLocator {
  /** Two texts without a common first or last letter, so that one of them differs from any. */
  private static final String[] STAND_INS = {"Quartz", "Zephyr-7"};

  private final ChatTemplate template;
  private final Conversation conversation;
  private final String text;
  private final int number;

  RewrittenTurnLocator(ChatTemplate template, Conversation conversation, String text, int number) {
    this.template = template;
    this.conversation = conversation;
    this.text = text;
    this.number = number;
  }

  /**
   * The turn, in UTF-16 units of the text.
   *
   * @param start start of the message, negative when it is not known
   * @param upTo the rendering of the messages up to this one
   */
  Span find(int start, Optional<String> upTo) {
    String ending =
        upTo.orElseThrow(() -> unclear("the messages up to it cannot be rendered alone"));
    Dict message = conversation.messages().get(number);
    if (!(message.get("content") instanceof Value.Text content)) {
      throw unclear("its content is no plain text");
    }
    if (content.text().isBlank()) {
      throw unclear(
          start < 0
              ? "it has no text, and the messages before it are written differently"
              : "it has no text, and what else it has is written differently");
    }
    Content here = Content.in(text, conversation, this);
    String said = text.substring(here.start, here.end);
    int alone = Content.endIn(ending, conversation.first(number + 1), this);
    if (!content.text().contains(said) || !ending.substring(0, alone).endsWith(said)) {
      throw unclear("the template changes what it says");
    }
    String tail = ending.substring(alone);
    return new Span(
        start >= 0 && start <= here.start ? start : here.start, here.end + shared(here.end, tail));
  }

  /**
   * Length of the part of {@code tail} that stands in the text: all of it, or what comes before the
   * last bracket that ends a tag or before the next line, since the rest belongs to what follows.
   */
  private int shared(int at, String tail) {
    int common = Overlap.prefix(tail, text.substring(at));
    if (common == tail.length()) {
      return common;
    }
    int whole = Overlap.upToTag(tail.substring(0, common)).length();
    if (whole == 0) {
      throw unclear("no end of it is found that the template always writes");
    }
    return whole;
  }

  private InvalidConversation unclear(String why) {
    return new InvalidConversation(
        "the chat template (%s) writes message %d differently when others follow it, and what of the text belongs to it is not certain: %s"
            .formatted(template.source(), number + 1, why),
        Remedy.LAST_ANSWER_ONLY);
  }

  /**
   * Place of the message's content in a rendering.
   *
   * @param start its first character
   * @param end after its last
   */
  private record Content(int start, int end) {
    static Content in(String rendered, Conversation conversation, RewrittenTurnLocator turn) {
      List<String> others = turn.replaced(conversation);
      int start = rendered.length();
      for (String other : others) {
        start = Math.min(start, Overlap.prefix(rendered, other));
      }
      int end = end(rendered, others);
      String before = rendered.substring(0, start);
      for (int i = 0; i < STAND_INS.length; i++) {
        boolean local =
            start < end && others.get(i).equals(before + STAND_INS[i] + rendered.substring(end));
        if (!local) {
          throw turn.unclear("other content changes other parts of the text too");
        }
      }
      return new Content(start, end);
    }

    static int endIn(String rendered, Conversation conversation, RewrittenTurnLocator turn) {
      return end(rendered, turn.replaced(conversation));
    }

    private static int end(String rendered, List<String> others) {
      int rest = rendered.length();
      for (String other : others) {
        rest = Math.min(rest, Overlap.suffix(rendered, other));
      }
      return rendered.length() - rest;
    }
  }

  /** The renderings with each stand-in in place of the message's content. */
  private List<String> replaced(Conversation in) {
    return Stream.of(STAND_INS).map(content -> replaced(in, content)).toList();
  }

  private String replaced(Conversation in, String content) {
    try {
      Dict message = in.messages().get(number).with("content", Values.of(content));
      String rendering = template.render(in.with(number, message), false).text();
      return template.turnEnd(conversation).withoutHeader(rendering);
    } catch (JinjaException e) {
      throw unclear("with other content it cannot be rendered");
    }
  }
}
