package dev.nibble.data.tokenizer;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongFunction;

/**
 * The tokenizers library (Rust), from the natives in DJL's jar. Its C entry points are called
 * directly: the object that DJL wraps around them copies six arrays for every text, of which Nibble
 * needs one or two.
 *
 * <p>The library does not know who is inside it, and freeing a tokenizer that a thread uses ends
 * the JVM: closing waits until all have left, and nobody enters afterwards.
 */
final class NativeTokenizer implements Tokenizer {
  /** Loads the native library with the first tokenizer. */
  private static final class Native {
    static final String CACHE = "DJL_CACHE_DIR";
    static final TokenizersLibrary LIBRARY = load();

    private static TokenizersLibrary load() {
      // DJL would look for CUDA, for a newer library in the network, and report its use; it needs
      // none of them.
      setDefault("RUST_FLAVOR", "cpu");
      setDefault("ai.djl.offline", "true");
      setDefault("OPT_OUT_TRACKING", "true");
      // Where the home cannot be written, DJL would take a folder in the temporary one, of a name
      // that anybody can tell: another user could have put a library there.
      setDefault(CACHE, Path.of(System.getProperty("user.home"), ".djl.ai").toString());
      LibUtils.checkStatus();
      return TokenizersLibrary.LIB;
    }

    private static void setDefault(String property, String value) {
      if (System.getProperty(property) == null) {
        System.setProperty(property, value);
      }
    }
  }

  private final Path file;
  private final int vocabSize;
  private final SpecialTokens special;

  /** Read by those inside the library, written by the one who frees the tokenizer. */
  private final ReadWriteLock users = new ReentrantReadWriteLock();

  private long handle;

  NativeTokenizer(Path file, String json, int vocabSize, SpecialTokens special) {
    this.file = file;
    this.vocabSize = vocabSize;
    this.special = special;
    try {
      handle = Native.LIBRARY.createTokenizerFromString(json);
    } catch (LinkageError e) {
      throw new InvalidTokenizer(
          "the native tokenizer library cannot be loaded on %s %s (%s). It is unpacked into ~/.djl.ai; set DJL_CACHE_DIR to another folder that can be written."
              .formatted(System.getProperty("os.name"), System.getProperty("os.arch"), e),
          e);
    } catch (RuntimeException e) {
      throw new InvalidTokenizer(
          "%s: the tokenizers library does not accept it (%s). The file is damaged or has a part that the library does not know; fetch it again, or save it with an older version of the Python library."
              .formatted(file, e.getMessage()),
          e);
    }
    // The file may ask for both; samples are neither cut nor padded here.
    Native.LIBRARY.disableTruncation(handle);
    Native.LIBRARY.disablePadding(handle);
  }

  @Override
  public int[] ids(String text, boolean addSpecialTokens) {
    LoneSurrogates.refuse(text);
    return inside(tokenizer -> {
      long encoding = Native.LIBRARY.encode(tokenizer, text, addSpecialTokens);
      try {
        return ints(Native.LIBRARY.getTokenIds(encoding));
      } finally {
        Native.LIBRARY.deleteEncoding(encoding);
      }
    });
  }

  @Override
  public Encoding encode(String text, boolean addSpecialTokens) {
    LoneSurrogates.refuse(text);
    return inside(tokenizer -> {
      long encoding = Native.LIBRARY.encode(tokenizer, text, addSpecialTokens);
      try {
        return withPlaces(encoding);
      } finally {
        Native.LIBRARY.deleteEncoding(encoding);
      }
    });
  }

  private static Encoding withPlaces(long encoding) {
    int[] ids = ints(Native.LIBRARY.getTokenIds(encoding));
    CharSpan[] spans = Native.LIBRARY.getTokenCharSpans(encoding);
    int[] starts = new int[ids.length];
    int[] ends = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      boolean added = spans[i] == null;
      starts[i] = added ? -1 : spans[i].getStart();
      ends[i] = added ? -1 : spans[i].getEnd();
    }
    return new Encoding(ids, starts, ends);
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    long[] wide = Arrays.stream(ids).asLongStream().toArray();
    return inside(tokenizer -> Native.LIBRARY.decode(tokenizer, wide, skipSpecialTokens));
  }

  @Override
  public int vocabSize() {
    return vocabSize;
  }

  @Override
  public SpecialTokens special() {
    return special;
  }

  @Override
  public void close() {
    users.writeLock().lock();
    try {
      if (handle != 0) {
        Native.LIBRARY.deleteTokenizer(handle);
        handle = 0;
      }
    } finally {
      users.writeLock().unlock();
    }
  }

  /** Calls the library while the tokenizer is open. */
  private <T> T inside(LongFunction<T> call) {
    users.readLock().lock();
    try {
      if (handle == 0) {
        throw new IllegalStateException(file + ": the tokenizer is closed");
      }
      return call.apply(handle);
    } catch (IllegalStateException e) {
      throw e;
    } catch (RuntimeException e) { // the library's word for what its model lacks
      throw new InvalidTokenizer(
          "%s: the tokenizers library cannot tokenise a text with it (%s). The file is damaged; fetch it again."
              .formatted(file, e.getMessage()),
          e);
    } finally {
      users.readLock().unlock();
    }
  }

  private static int[] ints(long[] values) {
    int[] ints = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      ints[i] = (int) values[i];
    }
    return ints;
  }
}
