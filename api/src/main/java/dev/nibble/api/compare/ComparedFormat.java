package dev.nibble.api.compare;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * One format's part of a comparison.
 *
 * @param format its name
 * @param description a phrase for people, for example {@code NF4, blocks of 64, double
 *     quantisation}
 * @param base what was measured of the base; empty when that failed
 * @param trained what was measured after training; empty when that was not asked for, or failed
 * @param failure why something is missing that was asked for
 */
public record ComparedFormat(
    String format,
    String description,
    Optional<FormatFigures> base,
    Optional<TrainedFigures> trained,
    Optional<String> failure) {
  private static final MathContext EXACT = new MathContext(7);
  private static final MathContext TIME = new MathContext(4);

  /** One line of JSON; sizes in bytes. What is not known, or infinite, is null. */
  public String json() {
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("format", format);
    json.put("description", description);
    base.ifPresent(f -> {
      put(json, "bits", f.bits(), EXACT);
      json.put("bytes", f.bytes());
      json.put("model_bytes", f.modelBytes());
      put(json, "weight_error", f.weightError(), EXACT);
      put(json, "output_error", f.outputError().orElse(Double.NaN), EXACT);
      put(json, "perplexity", f.perplexity(), EXACT);
      put(json, "seconds", f.seconds(), TIME);
      put(json, "tokens_per_second", f.tokensPerSecond().orElse(Double.NaN), TIME);
    });
    trained.ifPresent(f -> {
      put(json, "trained_perplexity", f.perplexity(), EXACT);
      put(json, "train_seconds", f.seconds(), TIME);
    });
    failure.ifPresent(reason -> json.put("error", reason));
    return JsonMapper.shared().writeValueAsString(json);
  }

  private static void put(ObjectNode json, String key, double value, MathContext digits) {
    if (Double.isFinite(value)) {
      json.put(key, new BigDecimal(value, digits));
    } else {
      json.putNull(key);
    }
  }
}
