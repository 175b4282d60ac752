package dev.nibble.api.wiring;

import dev.nibble.data.chat.ChatTemplate;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.jinja.JinjaException;
import java.util.OptionalInt;

/**
 * What a chat template ends an answer with.
 *
 * @param text as the template writes it
 * @param token the first special token of that text; none when the tokenizer knows none of it
 */
public record EndOfTurn(String text, OptionalInt token) {

  /** Looks at how a template writes a question and its answer. */
  public static EndOfTurn of(ChatTemplate template, Tokenizer tokenizer) {
    String text;
    try {
      text = template.endOfTurn();
    } catch (JinjaException e) {
      return new EndOfTurn("", OptionalInt.empty());
    }
    for (int id : tokenizer.ids(text, false)) {
      int[] one = {id};
      boolean special =
          tokenizer.decode(one, true).isEmpty() && !tokenizer.decode(one, false).isEmpty();
      if (special) {
        return new EndOfTurn(text, OptionalInt.of(id));
      }
    }
    return new EndOfTurn(text, OptionalInt.empty());
  }
}
