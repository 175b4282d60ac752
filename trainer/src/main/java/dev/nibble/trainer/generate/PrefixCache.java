package dev.nibble.trainer.generate;

import dev.nibble.trainer.model.Decoder;
import java.util.Arrays;

/**
 * A decoder of one sequence that computes nothing twice: when it starts anew, what the new prompt
 * and the tokens before have in common stays. A conversation, each turn of which repeats all turns
 * before, costs as much as its last turn.
 */
public final class PrefixCache implements Decoder {
  private final Decoder decoder;
  private int[] held = new int[0];
  private boolean starts;

  /** Takes over a decoder of one sequence, and closes it. */
  public PrefixCache(Decoder decoder) {
    if (decoder.sequences() != 1) {
      throw new IllegalArgumentException("one sequence, not " + decoder.sequences());
    }
    this.decoder = decoder;
  }

  @Override
  public int sequences() {
    return 1;
  }

  @Override
  public int keep(int sequence, int length) {
    starts = length == 0;
    if (!starts) {
      held = Arrays.copyOf(held, decoder.keep(sequence, length));
    }
    return starts ? 0 : held.length;
  }

  @Override
  public float[][] feed(int[] sequences, int[][] tokens) {
    int[] added = tokens[0];
    int common = 0;
    if (starts) {
      // One token at least is fed, for its logits.
      int most = Math.min(held.length, added.length - 1);
      int differ = Arrays.mismatch(held, 0, most, added, 0, most);
      common = decoder.keep(0, differ < 0 ? most : differ);
      held = Arrays.copyOf(held, common);
      starts = false;
    }
    int[] rest = Arrays.copyOfRange(added, common, added.length);
    float[][] logits = decoder.feed(sequences, new int[][] {rest});
    int before = held.length;
    held = Arrays.copyOf(held, before + rest.length);
    System.arraycopy(rest, 0, held, before, rest.length);
    return logits;
  }

  @Override
  public void close() {
    decoder.close();
  }
}
