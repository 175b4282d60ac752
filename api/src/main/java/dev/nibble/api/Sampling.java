package dev.nibble.api;

import dev.nibble.trainer.generate.Sampler;

/**
 * How text is generated.
 *
 * @param sampler chooses each token
 * @param seed of what the sampler draws
 * @param maxNewTokens the most tokens of an answer, 1 or more
 */
public record Sampling(Sampler sampler, long seed, int maxNewTokens) {
  private static final int TOKENS = 128;

  /** Always the most likely token, up to 128 of them. */
  public static Sampling greedy() {
    return new Sampling(new Sampler.Greedy(), 0, TOKENS);
  }

  /** Draws at {@code temperature} from the whole vocabulary, up to 128 tokens. */
  public static Sampling random(double temperature, long seed) {
    return new Sampling(new Sampler.Random(temperature, 0, 1), seed, TOKENS);
  }

  /** The same with another seed. */
  public Sampling withSeed(long other) {
    return new Sampling(sampler, other, maxNewTokens);
  }

  /** The same with another limit. */
  public Sampling upTo(int tokens) {
    return new Sampling(sampler, seed, tokens);
  }
}
