package dev.nibble.data.tokenizer;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer that gives very long texts to another one. On a run of some millions of spaces even
 * the patterns of real tokenizers come to the point at which the native library panics.
 */
final class LongTexts implements Tokenizer {
  /** A pattern of ten alternatives takes fewer than ten million steps on so many characters. */
  static final int LONGEST = 1_000_000;

  private final Tokenizer fast;
  private final Supplier<Tokenizer> opener;
  private @Nullable Tokenizer isolated;

  /**
   * Owns both.
   *
   * @param fast for texts up to {@link #LONGEST}
   * @param opener of the other, called with the first long text
   */
  LongTexts(Tokenizer fast, Supplier<Tokenizer> opener) {
    this.fast = fast;
    this.opener = opener;
  }

  private Tokenizer of(String text) {
    return text.length() <= LONGEST ? fast : isolated();
  }

  private synchronized Tokenizer isolated() {
    Tokenizer open = isolated;
    if (open == null) {
      open = opener.get();
      isolated = open;
    }
    return open;
  }

  @Override
  public int[] ids(String text, boolean addSpecialTokens) {
    return of(text).ids(text, addSpecialTokens);
  }

  @Override
  public Encoding encode(String text, boolean addSpecialTokens) {
    return of(text).encode(text, addSpecialTokens);
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return fast.decode(ids, skipSpecialTokens);
  }

  @Override
  public int vocabSize() {
    return fast.vocabSize();
  }

  @Override
  public SpecialTokens special() {
    return fast.special();
  }

  @Override
  public synchronized void close() {
    fast.close();
    Tokenizer open = isolated;
    if (open != null) {
      open.close();
    }
  }
}
