package dev.nibble.trainer.model.build;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.GradientClip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything that a model computes on its way: logits, a few steps of training, generation, and
 * what is saved of it.
 */
record Trace(
    List<Double> losses,
    List<Double> norms,
    Map<String, float[]> values,
    Map<String, byte[]> files) {
  private static final int STEPS = 3;
  private static final int[][] PROMPTS = {{1, 5, 3}, {2, 9, 9, 4, 7, 1}};

  /** Trains what {@code options} say, and saves it beneath {@code out}. */
  static Trace of(Kernels kernels, Path model, ModelOptions options, Batch batch, Path out)
      throws IOException {
    try (Scope scope = Scope.open("trace", kernels.memory())) {
      Recorder r = new Recorder(kernels, ModelLoader.load(model, options, kernels, scope));
      r.logits("at first", r.model.logits(batch));
      r.train(batch, scope);
      r.logits("after training", r.model.logits(batch));
      r.generate();
      r.save(options.training(), model, out);
      return new Trace(r.losses, r.norms, r.values, r.files);
    }
  }

  /** All values in one line of text each, to the bit. */
  Map<String, String> exact() {
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put("losses", losses.toString());
    lines.put("gradient norms", norms.toString());
    values.forEach((name, v) -> lines.put(name, Arrays.toString(v)));
    files.forEach((name, bytes) -> lines.put(name, Arrays.toString(bytes)));
    return lines;
  }

  private static final class Recorder {
    private final Kernels kernels;
    private final CausalLm model;
    private final List<Double> losses = new ArrayList<>();
    private final List<Double> norms = new ArrayList<>();
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final Map<String, byte[]> files = new LinkedHashMap<>();

    Recorder(Kernels kernels, CausalLm model) {
      this.kernels = kernels;
      this.model = model;
    }

    void train(Batch batch, Scope scope) {
      AdamW.Settings settings = new AdamW.Settings(0.9, 0.999, 1e-8, 0.01);
      AdamW optimizer = new AdamW(kernels, model.parameters(), settings, scope);
      GradientClip clip = new GradientClip(kernels, 1, scope);
      Objective objective = ModelFixture.nextToken(model, kernels, scope);
      scope.seal(); // a step allocates nothing
      for (int step = 1; step <= STEPS; step++) {
        model.parameters().zeroGradients(kernels);
        LossSum loss = model.accumulate(batch, step, objective);
        kernels.pointwise().scale(model.parameters().gradients(), 1.0 / loss.terms());
        losses.add(loss.mean());
        norms.add(clip.apply(model.parameters().gradients()));
        values.put(
            "gradients of step " + step, TensorValues.of(kernels, model.parameters().gradients()));
        optimizer.update(1e-2);
      }
      scope.unseal();
      losses.add(model.evaluate(batch, objective).mean());
      values.put("weights", TensorValues.of(kernels, model.parameters().weights()));
    }

    void logits(String name, float[][] rows) {
      for (int i = 0; i < rows.length; i++) {
        values.put("logits %s, row %d".formatted(name, i), rows[i]);
      }
    }

    void generate() {
      try (Decoder decoder = model.decoder(2, 9)) {
        float[][] first = decoder.feed(new int[] {1, 0}, PROMPTS);
        logits("of prompts", first);
        int[][] next = {{argmax(first[0])}, {argmax(first[1])}};
        logits("of the next tokens", decoder.feed(new int[] {1, 0}, next));
      }
    }

    private static int argmax(float[] x) {
      int best = 0;
      for (int i = 1; i < x.length; i++) {
        best = x[i] > x[best] ? i : best;
      }
      return best;
    }

    void save(Training training, Path base, Path out) throws IOException {
      switch (training) {
        case Training.Nothing none -> {}
        case Training.FrozenAdapter frozen -> {}
        case Training.AllWeights all -> {
          ModelWriter.save(out.resolve("f32"), base, model.parameters(), DType.F32, kernels);
          ModelWriter.save(out.resolve("bf16"), base, model.parameters(), DType.BF16, kernels);
        }
        case Training.Adapter a -> {
          PeftAdapter.save(out.resolve("plain"), a.spec(), "", model.parameters(), kernels);
          PeftAdapter.saveExact(out.resolve("exact"), a.spec(), "", model.parameters(), kernels);
        }
      }
      for (String name :
          List.of("f32/model", "bf16/model", "plain/adapter_model", "exact/adapter_model")) {
        Path file = out.resolve(name + ".safetensors");
        if (Files.exists(file)) {
          files.put(name, Files.readAllBytes(file));
        }
      }
    }
  }
}
