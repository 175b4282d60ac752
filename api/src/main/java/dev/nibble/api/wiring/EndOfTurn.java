package dev.nibble.api.wiring;

import dev.nibble.data.chat.ChatTemplate;
import dev.nibble.data.chat.InvalidChatTemplate;
import dev.nibble.data.tokenizer.InvalidText;
import dev.nibble.data.tokenizer.Tokenizer;
import java.util.OptionalInt;

/**
 * The end of an answer in a chat template.
 *
 * @param text as the template writes it; empty when it refuses a question with an answer
 * @param token the first special token of that text; none when the tokenizer knows none of it
 */
public record EndOfTurn(String text, OptionalInt token) {

  /** Looks at how a template writes a question and its answer. */
  public static EndOfTurn of(ChatTemplate template, Tokenizer tokenizer) {
    String text = template.endOfTurn();
    for (int id : ids(template, text, tokenizer)) {
      int[] one = {id};
      boolean special =
          tokenizer.decode(one, true).isEmpty() && !tokenizer.decode(one, false).isEmpty();
      if (special) {
        return new EndOfTurn(text, OptionalInt.of(id));
      }
    }
    return new EndOfTurn(text, OptionalInt.empty());
  }

  private static int[] ids(ChatTemplate template, String text, Tokenizer tokenizer) {
    try {
      return tokenizer.ids(text, false);
    } catch (InvalidText e) {
      throw new InvalidChatTemplate(template, "the end of its answers", e);
    }
  }
}
