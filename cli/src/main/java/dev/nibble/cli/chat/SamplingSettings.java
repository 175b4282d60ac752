package dev.nibble.cli.chat;

import dev.nibble.api.Sampling;
import dev.nibble.trainer.generate.Sampler;
import java.util.List;

/**
 * How answers are generated, in the words of the command line.
 *
 * @param temperature 0 for always the most likely token
 * @param topP in (0, 1]; 1 for no limit
 * @param topK 0 for no limit
 * @param maxNewTokens the most tokens of an answer, 1 or more
 * @param seed of what is drawn
 */
public record SamplingSettings(
    double temperature, double topP, int topK, int maxNewTokens, long seed) {
  static final List<String> NAMES =
      List.of("temperature", "top-p", "top-k", "max-new-tokens", "seed");

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the one that is left
   */
  public SamplingSettings {
    new Sampler.Random(temperature == 0 ? 1 : temperature, topK, topP); // checks them
    if (maxNewTokens < 1) {
      throw new IllegalArgumentException(
          "max-new-tokens must be 1 or more, not %d".formatted(maxNewTokens));
    }
  }

  /** What the library takes. */
  public Sampling sampling() {
    Sampler sampler =
        temperature == 0 ? new Sampler.Greedy() : new Sampler.Random(temperature, topK, topP);
    return new Sampling(sampler, seed, maxNewTokens);
  }

  /**
   * The same with another value for one of them.
   *
   * @throws InvalidInput when there is no such setting, or the value is none for it
   */
  SamplingSettings with(String name, String value) {
    try {
      return switch (name) {
        case "temperature" ->
            new SamplingSettings(Double.parseDouble(value), topP, topK, maxNewTokens, seed);
        case "top-p" ->
            new SamplingSettings(temperature, Double.parseDouble(value), topK, maxNewTokens, seed);
        case "top-k" ->
            new SamplingSettings(temperature, topP, Integer.parseInt(value), maxNewTokens, seed);
        case "max-new-tokens" ->
            new SamplingSettings(temperature, topP, topK, Integer.parseInt(value), seed);
        case "seed" ->
            new SamplingSettings(temperature, topP, topK, maxNewTokens, Long.parseLong(value));
        default ->
            throw new InvalidInput(
                "/set: no setting '%s'; expected one of %s"
                    .formatted(name, String.join(", ", NAMES)));
      };
    } catch (NumberFormatException e) {
      throw new InvalidInput("/set %s: expected a number, got '%s'".formatted(name, value));
    } catch (IllegalArgumentException e) {
      throw new InvalidInput("/set: " + e.getMessage());
    }
  }

  /** All of them in one line. */
  String shown() {
    return "temperature %s, top-p %s, top-k %d, max-new-tokens %d, seed %d"
        .formatted(temperature, topP, topK, maxNewTokens, seed);
  }
}
