package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters.ParameterGroup;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * Weights that one call updates: neighbours that are treated alike, whose state is on one page.
 *
 * @param group how fast they learn
 * @param decays whether they have weight decay
 * @param weight F32, of the parameter's shape where they are one whole parameter
 * @param gradient like weight
 * @param state one tensor for each {@link StateField}
 */
record Stretch(
    ParameterGroup group, boolean decays, Tensor weight, Tensor gradient, List<Tensor> state) {}
