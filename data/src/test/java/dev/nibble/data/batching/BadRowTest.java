package dev.nibble.data.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.CharTokenizer;
import dev.nibble.data.Golden;
import dev.nibble.data.Rows;
import dev.nibble.data.format.Completion;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.Dataset;
import dev.nibble.data.samples.ExcessLength;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.tokenizer.Encoding;
import dev.nibble.data.tokenizer.SpecialTokens;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.data.tokenizer.Tokenizers;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that cannot be used, among thousands that are tokenised on all cores. */
class BadRowTest {
  private static final int ROWS = 4000;
  private static final int LENGTH = 64;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 700, 1024, 2047, 2048, 3999})
  void nobodyIsInATokenizerThatIsClosed(int bad) {
    WatchedTokenizer watched = new WatchedTokenizer(null);
    try (watched) {
      assertThatThrownBy(() -> scan(watched, oneTooLong(bad)))
          .isInstanceOf(InvalidDataset.class)
          .hasMessageContaining("rows.jsonl, row " + (bad + 1) + ":");
    }
    assertThat(watched.insideAtClosing).as("threads inside a tokenizer that closed").isZero();
  }

  @ParameterizedTest
  @MethodSource("faults")
  void aFaultLeavesNobodyInsideEither(Throwable fault) {
    WatchedTokenizer watched = new WatchedTokenizer(fault);
    try (watched) {
      RowSource rows = Rows.generated("rows.jsonl", ROWS, i -> i == 1024 ? "bad" : "a");
      assertThatThrownBy(() -> scan(watched, rows)).isSameAs(fault);
    }
    assertThat(watched.insideAtClosing).as("threads inside a tokenizer that closed").isZero();
  }

  static List<Throwable> faults() {
    return List.of(new IllegalStateException("a fault"), new StackOverflowError("too deep"));
  }

  /** Before it was mended, this ended the JVM in most runs. */
  @Test
  void theNativeTokenizerOutlivesABadRow() {
    for (int run = 0; run < 8; run++) {
      int bad = 300 + 211 * run;
      try (Tokenizer tokenizer = Tokenizers.open(Golden.path("tokenizers", "qwen_like"))) {
        assertThatThrownBy(() -> scan(tokenizer, oneTooLong(bad)))
            .isInstanceOf(InvalidDataset.class)
            .hasMessageContaining("row " + (bad + 1) + ":");
      }
    }
  }

  private static void scan(Tokenizer tokenizer, RowSource rows) {
    SampleMaker samples =
        new SampleMaker(tokenizer, new Completion("text"), LENGTH, ExcessLength.RAISE, false);
    Corpus.scan(List.of(new Dataset(rows, samples)));
  }

  private static RowSource oneTooLong(int bad) {
    return Rows.generated("rows.jsonl", ROWS, i -> "one row ".repeat(i == bad ? 99 : 5));
  }

  /** Tokenizer that takes its time, and notices when it is closed while somebody is inside. */
  private static final class WatchedTokenizer implements Tokenizer {
    private final CharTokenizer tokens = new CharTokenizer();
    private final AtomicInteger inside = new AtomicInteger();
    private final @Nullable Throwable fault;
    private int insideAtClosing;

    WatchedTokenizer(@Nullable Throwable fault) {
      this.fault = fault;
    }

    @Override
    public Encoding encode(String text, boolean addSpecialTokens) {
      inside.incrementAndGet();
      try {
        if (text.equals("bad")) {
          fail();
        }
        LockSupport.parkNanos(20_000);
        return tokens.encode(text, addSpecialTokens);
      } finally {
        inside.decrementAndGet();
      }
    }

    private void fail() {
      switch (fault) {
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case null, default -> throw new AssertionError(fault);
      }
    }

    @Override
    public int[] ids(String text, boolean addSpecialTokens) {
      return encode(text, addSpecialTokens).ids();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
      return tokens.decode(ids, skipSpecialTokens);
    }

    @Override
    public int vocabSize() {
      return tokens.vocabSize();
    }

    @Override
    public SpecialTokens special() {
      return tokens.special();
    }

    @Override
    public void close() {
      insideAtClosing = inside.get();
    }
  }
}
