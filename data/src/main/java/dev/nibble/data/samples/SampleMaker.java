package dev.nibble.data.samples;

import dev.nibble.data.Sample;
import dev.nibble.data.chat.Shortfall;
import dev.nibble.data.format.Example;
import dev.nibble.data.format.PromptFormat;
import dev.nibble.data.format.PromptText;
import dev.nibble.data.format.Segment;
import dev.nibble.data.rows.Row;
import dev.nibble.data.tokenizer.Encoding;
import dev.nibble.data.tokenizer.InvalidText;
import dev.nibble.data.tokenizer.InvalidTokenizer;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.errors.Remedy;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Maker of tokenised samples with their loss mask.
 *
 * <p>The text of a row is tokenised as a whole, so that the tokens are those which the model sees
 * in plain text, and the mask follows from the place of each token: a token that holds any
 * character of an answer is supervised. At the border a token may hold characters of both sides; it
 * counts as answer, so that every character of the answer is trained on. The end-of-sequence token
 * follows an answer that ends the text, and is supervised with it. The tokenizer adds its
 * beginning-of-sequence token when its own settings say so; where the text already starts with it,
 * it is not doubled.
 *
 * <p>Text that a chat template wrote has all its special tokens already: nothing is added to it.
 */
public final class SampleMaker {
  private final Tokenizer tokenizer;
  private final PromptFormat format;
  private final int sequenceLen;
  private final ExcessLength excess;
  private final boolean trainOnInputs;
  private final boolean learnsEmpty;
  private final OptionalInt bos;
  private final int eos;

  /**
   * @param sequenceLen the largest number of tokens of a sample
   * @param trainOnInputs whether prompts are supervised, too
   * @throws InvalidTokenizer when the tokenizer has no end-of-sequence token
   */
  public SampleMaker(
      Tokenizer tokenizer,
      PromptFormat format,
      int sequenceLen,
      ExcessLength excess,
      boolean trainOnInputs) {
    this(tokenizer, format, sequenceLen, excess, trainOnInputs, false);
  }

  private SampleMaker(
      Tokenizer tokenizer,
      PromptFormat format,
      int sequenceLen,
      ExcessLength excess,
      boolean trainOnInputs,
      boolean learnsEmpty) {
    if (sequenceLen < 2) {
      throw new IllegalArgumentException(
          "the largest number of tokens of a sample must be at least 2, is " + sequenceLen);
    }
    this.tokenizer = tokenizer;
    this.format = format;
    this.sequenceLen = sequenceLen;
    this.excess = excess;
    this.trainOnInputs = trainOnInputs;
    this.learnsEmpty = learnsEmpty;
    this.bos = tokenizer.special().bos();
    this.eos =
        tokenizer
            .special()
            .eos()
            .orElseThrow(() ->
                new InvalidTokenizer(
                    "the tokenizer names no end-of-sequence token, so the model could not learn to stop;"
                        + " set eos_token in tokenizer_config.json"));
  }

  /**
   * The same for rows with empty answers too: a model learns from them to end at once. Without it
   * they are left out, since most of them are gaps in the data.
   */
  public SampleMaker learningEmptyAnswers() {
    return new SampleMaker(tokenizer, format, sequenceLen, excess, trainOnInputs, true);
  }

  /** The format of the rows. */
  public PromptFormat format() {
    return format;
  }

  /** The largest number of tokens of a sample. */
  public int sequenceLen() {
    return sequenceLen;
  }

  /**
   * The sample of a row.
   *
   * @throws dev.nibble.data.rows.InvalidDataset when the row cannot be used
   */
  public SampleOutcome make(Row row) {
    Example example = format.example(row);
    if (!learnsEmpty && example.addsSpecialTokens() && example.answer().isBlank()) {
      return new SampleOutcome.Unsupervised(Set.of(Shortfall.EMPTY));
    }
    Encoding encoding = encoded(row, example);
    Sample sample = sample(example, encoding);
    Set<Shortfall> shortfalls = shortfalls(example, encoding);
    int length = sample.length();
    boolean truncated = false;
    if (length > sequenceLen) {
      switch (excess) {
        case DROP -> {
          return new SampleOutcome.TooLong(length);
        }
        case RAISE ->
            throw row.invalid(
                "the sample has %d tokens, and at most %d are allowed"
                    .formatted(length, sequenceLen),
                Remedy.LONGER_LIMIT_OR_SHORTER_SAMPLES);
        case TRUNCATE -> {
          sample =
              new Sample(
                  Arrays.copyOf(sample.tokens(), sequenceLen),
                  Arrays.copyOf(sample.supervised(), sequenceLen));
          truncated = true;
        }
      }
    }
    return sample.supervisedTokens() == 0
        ? new SampleOutcome.Unsupervised(shortfalls)
        : new SampleOutcome.Kept(sample, truncated, shortfalls);
  }

  private Encoding encoded(Row row, Example example) {
    try {
      return encoded(example);
    } catch (InvalidText e) {
      throw row.invalid(e);
    }
  }

  private Encoding encoded(Example example) {
    return tokenizer.encode(example.text(), example.addsSpecialTokens());
  }

  private Set<Shortfall> shortfalls(Example example, Encoding encoding) {
    if (trainOnInputs || !sharesToken(example.segments(), encoding)) {
      return example.shortfalls();
    }
    Set<Shortfall> more = EnumSet.of(Shortfall.TOKEN);
    more.addAll(example.shortfalls());
    return more;
  }

  /** Whether an answer begins within a token. */
  private static boolean sharesToken(List<Segment> segments, Encoding encoding) {
    int start = 0;
    int token = 0;
    boolean asked = false;
    for (Segment segment : segments) {
      if (segment.supervised() && asked) {
        while (token < encoding.ids().length && encoding.ends()[token] <= start) {
          token++;
        }
        if (token < encoding.ids().length && encoding.starts()[token] < start) {
          return true;
        }
      }
      asked = !segment.supervised();
      start += segment.text().codePointCount(0, segment.text().length());
    }
    return false;
  }

  /** The tokens to give to the model so that it answers, without an end token. */
  public int[] prompt(PromptText question) {
    int[] ids = tokenizer.ids(question.prompt(), question.addsSpecialTokens());
    if (!question.addsSpecialTokens()) {
      return ids;
    }
    int from = doubledBos(ids) ? 1 : 0;
    int to = ids.length > from && ids[ids.length - 1] == eos ? ids.length - 1 : ids.length;
    return Arrays.copyOfRange(ids, from, to);
  }

  /** The whole text of an example as tokens with their mask, however long. */
  public Sample sample(Example example) {
    return sample(example, encoded(example));
  }

  private Sample sample(Example example, Encoding encoding) {
    int[] ids = encoding.ids();
    int from = example.addsSpecialTokens() && doubledBos(ids) ? 1 : 0;
    boolean stops = example.endsWithAnswer();
    boolean ended = ids.length > 0 && ids[ids.length - 1] == eos;
    int length = ids.length - from + (stops && !ended ? 1 : 0);
    int[] tokens = new int[length];
    boolean[] supervised = new boolean[length];
    System.arraycopy(ids, from, tokens, 0, ids.length - from);
    if (trainOnInputs) {
      Arrays.fill(supervised, true);
    } else if (example.addsSpecialTokens()) {
      mask(example.segments(), encoding, from, supervised);
    } else {
      maskRendered(example.segments(), encoding, supervised);
    }
    if (stops && length > 0) {
      tokens[length - 1] = eos;
      supervised[length - 1] = true;
    }
    return new Sample(tokens, supervised);
  }

  private boolean doubledBos(int[] ids) {
    return bos.isPresent()
        && ids.length > 1
        && ids[0] == bos.getAsInt()
        && ids[1] == bos.getAsInt();
  }

  private void mask(List<Segment> segments, Encoding encoding, int from, boolean[] supervised) {
    int start = 0;
    int token = from;
    int[] starts = encoding.starts();
    int[] ends = encoding.ends();
    for (Segment segment : segments) {
      int end = start + segment.text().codePointCount(0, segment.text().length());
      // Tokens before this segment are settled; a token that reaches beyond it is seen again in the
      // next one.
      while (token < starts.length && ends[token] <= start && starts[token] < start) {
        token++;
      }
      if (segment.supervised()) {
        for (int t = token; t < starts.length && starts[t] < end; t++) {
          boolean inside = starts[t] >= 0 && Math.max(ends[t], starts[t] + 1) > start;
          supervised[t - from] |= inside;
        }
      }
      start = end;
    }
  }

  /**
   * The mask of text that a chat template wrote, with the borders of transformers: from the token
   * that holds the first character of an answer to the first one that holds its last.
   */
  private static void maskRendered(
      List<Segment> segments, Encoding encoding, boolean[] supervised) {
    int start = 0;
    for (Segment segment : segments) {
      int end = start + segment.text().codePointCount(0, segment.text().length());
      if (segment.supervised()) {
        int first = -1;
        for (int c = start; c < end && first < 0; c++) {
          first = tokenAt(c, encoding);
        }
        int last = -1;
        for (int c = end - 1; c >= start && last < 0; c--) {
          last = tokenAt(c, encoding);
        }
        if (first >= 0) {
          Arrays.fill(supervised, first, last + 1, true);
        }
      }
      start = end;
    }
  }

  /** The first token that holds a character; -1 when none does. */
  private static int tokenAt(int character, Encoding encoding) {
    for (int t = 0; t < encoding.ids().length; t++) {
      if (encoding.starts()[t] <= character && character < encoding.ends()[t]) {
        return t;
      }
    }
    return -1;
  }
}
