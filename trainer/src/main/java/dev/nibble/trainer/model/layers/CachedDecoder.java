package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.config.ModelConfig;
import java.util.Arrays;
import java.util.List;

/**
 * Generation with a cache. Tokens of all sequences run packed through the model's own buffers, as
 * many at a time as those hold: many short prompts in one pass, a long prompt in several.
 */
final class CachedDecoder implements Decoder {
  private final DecoderModel model;
  private final Kernels kernels;
  private final Scope scope;
  private final int capacity;
  private final ForwardMode mode;
  private final ModelConfig config;
  private final List<RopeTables> ropes;
  private final HostAndDevice rows; // of the caches, for the tokens of a pass
  private final List<KeyValueCache> caches;
  private final int[] lengths;
  private final int[][] fed; // tokens of each sequence, where they may be needed again

  /** Takes the scope over, and closes it. */
  CachedDecoder(
      DecoderModel model,
      ModelConfig config,
      Kernels kernels,
      Scope scope,
      int sequences,
      int capacity,
      ForwardMode mode) {
    this.model = model;
    this.config = config;
    this.kernels = kernels;
    this.scope = scope;
    this.capacity = capacity;
    this.mode = mode;
    this.lengths = new int[sequences];
    this.fed = new int[sequences][config.mayForgetCache() ? capacity : 0];
    try {
      Buffers buffers = Buffers.of(kernels, scope);
      int all = Math.multiplyExact(sequences, capacity);
      this.ropes = RopeTables.allocate(scope, config, capacity);
      this.rows = buffers.indices("cache/rows", model.maxBatchTokens());
      this.caches =
          config.layers().stream()
              .map(layer -> KeyValueCache.allocate(buffers, layer.attention(), all, rows.tensor()))
              .toList();
    } catch (RuntimeException | OutOfMemoryError e) {
      scope.close();
      throw e;
    }
  }

  @Override
  public int sequences() {
    return lengths.length;
  }

  @Override
  public int keep(int sequence, int length) {
    int before = lengths[sequence];
    if (length < 0 || length > before) {
      throw new IllegalArgumentException(
          "sequence %d holds %d tokens, of which %d cannot be kept"
              .formatted(sequence, before, length));
    }
    int kept = length > 0 && config.forgetsCache(length, before) ? 0 : length;
    int first = sequence * capacity;
    caches.forEach(cache -> cache.clear(kernels, first + kept, first + before));
    lengths[sequence] = kept;
    return kept;
  }

  @Override
  public float[][] feed(int[] sequences, int[][] tokens) {
    check(sequences, tokens);
    float[][] logits = new float[sequences.length][];
    Packed pass = new Packed();
    for (int i = 0; i < sequences.length; i++) {
      int[] input = withForgotten(sequences[i], tokens[i]);
      int longest = config.representative(lengths[sequences[i]] + input.length);
      for (int from = 0; from < input.length; ) {
        if (pass.isFull() || pass.longest != longest) {
          pass.run(logits);
        }
        pass.longest = longest;
        from += pass.add(sequences[i], input, from, i);
      }
    }
    pass.run(logits);
    return logits;
  }

  /**
   * The new tokens of a sequence, behind all its earlier ones where their cached keys are of no use
   * any more.
   */
  private int[] withForgotten(int sequence, int[] added) {
    if (!config.mayForgetCache()) {
      return added;
    }
    int before = lengths[sequence];
    int after = before + added.length;
    System.arraycopy(added, 0, fed[sequence], before, added.length);
    if (before == 0 || !config.forgetsCache(before, after)) {
      return added;
    }
    reset(sequence);
    return Arrays.copyOf(fed[sequence], after);
  }

  /** Pieces of sequences that run together: those whose lengths share rope's frequencies. */
  private final class Packed {
    private final int[] tokens = new int[model.maxBatchTokens()];
    private final int[] positions = new int[tokens.length];
    private final int[] cached = new int[tokens.length]; // rows of the caches
    private final int[] segments = new int[4 * tokens.length];
    private final int[] last = new int[tokens.length]; // row of the last token of a finished input
    private final int[] input = new int[tokens.length]; // which input that was
    private int longest;
    private int n;
    private int pieces;
    private int finished;

    boolean isFull() {
      return n == tokens.length;
    }

    /** Adds what fits of one input, from {@code from} on; gives how many tokens that was. */
    int add(int sequence, int[] source, int from, int index) {
      int length = Math.min(source.length - from, tokens.length - n);
      int past = lengths[sequence];
      System.arraycopy(source, from, tokens, n, length);
      for (int i = 0; i < length; i++) {
        positions[n + i] = past + i;
        cached[n + i] = sequence * capacity + past + i;
      }
      segments[4 * pieces] = n;
      segments[4 * pieces + 1] = length;
      segments[4 * pieces + 2] = sequence * capacity;
      segments[4 * pieces + 3] = past + length;
      pieces++;
      n += length;
      lengths[sequence] += length;
      if (from + length == source.length) {
        last[finished] = n - 1;
        input[finished++] = index;
      }
      return length;
    }

    void run(float[][] logits) {
      if (n == 0) {
        return;
      }
      rows.prefix(n).put(kernels, Arrays.copyOf(cached, n));
      float[][] made =
          model.decode(
              Arrays.copyOf(tokens, n),
              Arrays.copyOf(positions, n),
              Arrays.copyOf(segments, 4 * pieces),
              ropes,
              longest,
              caches,
              Arrays.copyOf(last, finished),
              mode);
      for (int i = 0; i < finished; i++) {
        logits[input[i]] = made[i];
      }
      n = 0;
      pieces = 0;
      finished = 0;
    }
  }

  private void check(int[] sequences, int[][] tokens) {
    if (sequences.length != tokens.length) {
      throw new IllegalArgumentException(
          "%d sequences but tokens for %d".formatted(sequences.length, tokens.length));
    }
    boolean[] seen = new boolean[lengths.length];
    for (int i = 0; i < sequences.length; i++) {
      int s = sequences[i];
      if (seen[s]) {
        throw new IllegalArgumentException("sequence " + s + " is fed twice in one call");
      }
      seen[s] = true;
      if (tokens[i].length == 0) {
        throw new IllegalArgumentException("no tokens for sequence " + s);
      }
      if (lengths[s] + tokens[i].length > capacity) {
        throw new IllegalArgumentException(
            "sequence %d holds %d tokens and cannot take %d more: the capacity is %d"
                .formatted(s, lengths[s], tokens[i].length, capacity));
      }
      model.checkTokens(tokens[i]);
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
