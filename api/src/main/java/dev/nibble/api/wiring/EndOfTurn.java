package dev.nibble.api.wiring;

import dev.nibble.data.chat.CallEnd;
import dev.nibble.data.chat.ChatTemplate;
import dev.nibble.data.chat.InvalidChatTemplate;
import dev.nibble.data.tokenizer.InvalidText;
import dev.nibble.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The end of an answer in a chat template.
 *
 * @param text as the template writes it; empty when it refuses a question with an answer
 * @param token the first special token of that text; none when the tokenizer knows none of it
 * @param ofCalls the special token that ends a turn of tool calls, where that is another one
 */
public record EndOfTurn(String text, OptionalInt token, OptionalInt ofCalls) {

  /** Looks at how a template writes a question and its answer. */
  public static EndOfTurn of(ChatTemplate template, Tokenizer tokenizer) {
    String text = template.endOfTurn();
    List<Integer> special = special(template, text, tokenizer);
    OptionalInt token =
        special.isEmpty() ? OptionalInt.empty() : OptionalInt.of(special.getFirst());
    return new EndOfTurn(text, token, ofCalls(template, tokenizer, special));
  }

  private static OptionalInt ofCalls(
      ChatTemplate template, Tokenizer tokenizer, List<Integer> ofAnswers) {
    Optional<CallEnd> end = template.endOfCalls();
    if (end.isEmpty()) {
      return OptionalInt.empty();
    }
    List<Integer> behind = special(template, end.get().behind(), tokenizer);
    if (behind.isEmpty()
        || ofAnswers.contains(behind.getLast())
        || special(template, end.get().within(), tokenizer).contains(behind.getLast())) {
      return OptionalInt.empty();
    }
    return OptionalInt.of(behind.getLast());
  }

  /** The special tokens of a text. */
  private static List<Integer> special(ChatTemplate template, String text, Tokenizer tokenizer) {
    List<Integer> special = new ArrayList<>();
    for (int id : ids(template, text, tokenizer)) {
      int[] one = {id};
      if (tokenizer.decode(one, true).isEmpty() && !tokenizer.decode(one, false).isEmpty()) {
        special.add(id);
      }
    }
    return special;
  }

  private static int[] ids(ChatTemplate template, String text, Tokenizer tokenizer) {
    try {
      return tokenizer.ids(text, false);
    } catch (InvalidText e) {
      throw new InvalidChatTemplate(template, "the end of its answers", e);
    }
  }
}
