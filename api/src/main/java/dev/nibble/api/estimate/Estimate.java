package dev.nibble.api.estimate;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Memory and time that a run needs.
 *
 * @param kernels the set that will compute
 * @param plan of the recipe's run
 * @param budget what it has to fit in; empty where that is not known
 * @param lengths plans of other lengths
 * @param longest the largest sequence_len that fits
 * @param samples the largest micro_batch_size that fits
 * @param time how long it will take
 */
public record Estimate(
    String kernels,
    MemoryPlan plan,
    Optional<MemoryBudget> budget,
    List<Length> lengths,
    OptionalInt longest,
    OptionalInt samples,
    Time time) {

  /** A plan with another sequence_len. */
  public record Length(int sequenceLength, MemoryPlan plan) {}

  /**
   * How long a run takes.
   *
   * @param steps of the optimizer
   * @param tokens of one pass over the rows
   * @param operations floating-point operations of a step's matrix products, on average
   * @param rate of large matrix products a second, measured
   * @param reached what part of the rate steps reach
   */
  public record Time(long steps, long tokens, double operations, double rate, Reached reached) {
    /** Of all steps. */
    public double seconds() {
      return steps * operations / (rate * reached.share());
    }
  }

  /** What part of the rate of large matrix products the products of steps reach. */
  public sealed interface Reached {
    /** The part, in (0, 1]. */
    double share();

    /** By steps of the model's first layers. */
    record Measured(double share, int layers) implements Reached {}

    /** Nothing could be tried. */
    record Assumed(String because) implements Reached {
      @Override
      public double share() {
        return 0.6;
      }
    }
  }

  /** Bytes of tensors and of what the process takes besides. */
  public long needed() {
    return plan.tensors() + budget.map(MemoryBudget::runtime).orElse(0L);
  }

  /** Whether it fits; true where the budget is not known. */
  public boolean fits() {
    return budget.isEmpty() || needed() <= budget.get().bytes();
  }

  /** One line of JSON; sizes in bytes. */
  public String json() {
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("kernels", kernels);
    ObjectNode groups = json.putObject("memory");
    plan.groups().forEach(groups::put);
    json.put("tensors", plan.tensors());
    json.put("on_host", plan.onHost());
    budget.ifPresent(b -> {
      json.put("runtime", b.runtime());
      json.put("needed", needed());
      json.put("available", b.bytes());
      json.put("fits", fits());
    });
    longest.ifPresent(n -> json.put("largest_sequence_len", n));
    samples.ifPresent(n -> json.put("largest_micro_batch_size", n));
    ArrayNode others = json.putArray("lengths");
    for (Length length : lengths) {
      ObjectNode o = others.addObject();
      o.put("sequence_len", length.sequenceLength());
      o.put("activations", length.plan().groups().getOrDefault("activations", 0L));
      o.put("tensors", length.plan().tensors());
    }
    json.put("steps", time.steps());
    json.put("tokens", time.tokens());
    json.put("matrix_tflops", digits(time.rate() / 1e12));
    json.put("efficiency", digits(time.reached().share()));
    json.put("efficiency_measured", time.reached() instanceof Reached.Measured);
    json.put("seconds", digits(time.seconds()));
    return JsonMapper.shared().writeValueAsString(json);
  }

  private static BigDecimal digits(double value) {
    return new BigDecimal(value, new MathContext(4));
  }
}
