package dev.nibble.trainer.generate;

import dev.nibble.compute.kernels.Dropout;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.ModelException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Set;

/**
 * Continues prompts, as many at once as the decoder holds sequences; the next prompt takes a
 * sequence as soon as it is free. What a prompt gets does not depend on the others: each random
 * draw is a pure function of the seed, the prompt's index and the token's.
 */
public final class Generator {
  private final Decoder decoder;
  private final Sampler sampler;
  private final long seed;
  private final Set<Integer> stopTokens;

  /**
   * A generator over a decoder that stays the caller's.
   *
   * @param sampler how tokens are chosen
   * @param seed of random choices
   * @param stopTokens ids that end a continuation
   */
  public Generator(Decoder decoder, Sampler sampler, long seed, Set<Integer> stopTokens) {
    this.decoder = decoder;
    this.sampler = sampler;
    this.seed = seed;
    this.stopTokens = Set.copyOf(stopTokens);
  }

  /** A prompt on its way in one of the decoder's sequences. */
  private static final class Running {
    final int prompt;
    final int sequence;
    int[] next;
    int[] tokens = new int[16];
    int count;

    Running(int prompt, int sequence, int[] tokens) {
      this.prompt = prompt;
      this.sequence = sequence;
      this.next = tokens;
    }

    void add(int token) {
      if (count == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * count);
      }
      tokens[count++] = token;
      next = new int[] {token};
    }

    Continuation end(boolean stopped) {
      return new Continuation(Arrays.copyOf(tokens, count), stopped);
    }
  }

  /** Continues one prompt. */
  public Continuation generate(int[] prompt, int maxNewTokens, TokenListener listener) {
    return generate(List.of(prompt), maxNewTokens, listener).getFirst();
  }

  /**
   * Continues each prompt until a stop token, {@code maxNewTokens} or the listener's word.
   *
   * @param prompts token ids, one or more each
   * @return a continuation for each, in order
   * @throws IllegalArgumentException when a prompt is empty, or too long for the decoder
   * @throws ModelException when the model's logits are not finite
   */
  public List<Continuation> generate(
      List<int[]> prompts, int maxNewTokens, TokenListener listener) {
    check(prompts, maxNewTokens);
    Continuation[] done = new Continuation[prompts.size()];
    Queue<Integer> free = new ArrayDeque<>();
    for (int s = 0; s < decoder.sequences(); s++) {
      free.add(s);
    }
    List<Running> running = new ArrayList<>();
    int started = 0;
    while (started < prompts.size() || !running.isEmpty()) {
      while (started < prompts.size() && !free.isEmpty()) {
        int sequence = free.remove();
        decoder.reset(sequence);
        running.add(new Running(started, sequence, prompts.get(started)));
        started++;
      }
      float[][] logits = feed(running);
      int row = 0;
      for (Iterator<Running> it = running.iterator(); it.hasNext(); row++) {
        Running r = it.next();
        if (ends(r, logits[row], maxNewTokens, listener, done)) {
          free.add(r.sequence);
          it.remove();
        }
      }
    }
    return List.of(done);
  }

  private float[][] feed(List<Running> running) {
    int[] sequences = running.stream().mapToInt(r -> r.sequence).toArray();
    return decoder.feed(sequences, running.stream().map(r -> r.next).toArray(int[][]::new));
  }

  private boolean ends(
      Running r, float[] logits, int maxNewTokens, TokenListener listener, Continuation[] done) {
    requireNumbers(logits);
    int token = sampler.choose(logits, draw(r.prompt, r.count));
    boolean stopped = stopTokens.contains(token);
    boolean goesOn = !stopped;
    if (!stopped) {
      r.add(token);
      goesOn = listener.accept(r.prompt, token);
    }
    if (!goesOn || r.count == maxNewTokens) {
      done[r.prompt] = r.end(stopped);
      return true;
    }
    return false;
  }

  private static void requireNumbers(float[] logits) {
    for (int id = 0; id < logits.length; id++) {
      if (!Float.isFinite(logits[id])) {
        throw new ModelException(
            "the model computes %s for token %d: its weights, or its adapter's, are too large for 32-bit floats to follow"
                .formatted(logits[id], id));
      }
    }
  }

  private double draw(int prompt, int token) {
    long bits = Dropout.hash(Dropout.hash(Dropout.hash(seed) + prompt) + token);
    return (bits >>> 11) * 0x1p-53;
  }

  private static void check(List<int[]> prompts, int maxNewTokens) {
    if (maxNewTokens < 1) {
      throw new IllegalArgumentException("at least 1 new token, not " + maxNewTokens);
    }
    for (int i = 0; i < prompts.size(); i++) {
      if (prompts.get(i).length == 0) {
        throw new IllegalArgumentException("prompt %d has no token".formatted(i));
      }
    }
  }
}
