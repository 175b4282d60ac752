package dev.nibble.data;

import dev.nibble.data.tokenizer.Encoding;
import dev.nibble.data.tokenizer.SpecialTokens;
import dev.nibble.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * One token for each code point, with the code point as its id; BOS is 1, EOS is 2. With a width of
 * two, neighbours share a token, so that borders can fall inside one.
 */
public record CharTokenizer(boolean addsBos, int width) implements Tokenizer {
  public static final int BOS = 1;
  public static final int EOS = 2;

  public CharTokenizer() {
    this(true, 1);
  }

  @Override
  public int[] ids(String text, boolean addSpecialTokens) {
    return encode(text, addSpecialTokens).ids();
  }

  @Override
  public Encoding encode(String text, boolean addSpecialTokens) {
    int[] points = text.codePoints().toArray();
    int[] starts = IntStream.range(0, points.length).filter(i -> i % width == 0).toArray();
    int[] ends = Arrays.stream(starts).map(s -> Math.min(s + width, points.length)).toArray();
    int[] ids = Arrays.stream(starts).map(s -> points[s]).toArray();
    return addsBos && addSpecialTokens
        ? new Encoding(prepend(BOS, ids), prepend(-1, starts), prepend(-1, ends))
        : new Encoding(ids, starts, ends);
  }

  private static int[] prepend(int first, int[] rest) {
    return IntStream.concat(IntStream.of(first), Arrays.stream(rest)).toArray();
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    int[] points = Arrays.stream(ids).filter(i -> i > EOS || !skipSpecialTokens).toArray();
    return new String(points, 0, points.length);
  }

  @Override
  public int vocabSize() {
    return Character.MAX_CODE_POINT + 1;
  }

  @Override
  public SpecialTokens special() {
    return new SpecialTokens(
        OptionalInt.of(BOS), OptionalInt.of(EOS), OptionalInt.empty(), List.of(EOS));
  }

  @Override
  public void close() {}
}
