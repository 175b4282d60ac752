package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.api.event.Event;
import dev.nibble.compute.kernels.cuda.Emulator;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.train.StopRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs with {@code device: cuda}, on the emulated GPU. */
@Tag("cuda")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CudaRunTest {
  private static final String DRIVER = "nibble.cuda.driver";
  private static final Pattern LOSS = Pattern.compile("\"loss\": ?([0-9.eE+-]+)");

  private Path folder = Path.of("");
  private final List<Event> events = new ArrayList<>();
  private final Nibble nibble = Nibble.reportingTo(events::add);

  @BeforeAll
  void pretrainOnTheCpu(@TempDir Path temp) throws IOException {
    System.setProperty(DRIVER, Emulator.library());
    folder = temp;
    TinyRun.in(folder);
    train("pretrain.yaml", "model", new ExistingRunPolicy.Anew(), new StopRequest(), "device=cpu");
  }

  @AfterAll
  void forgetTheEmulator() {
    System.clearProperty(DRIVER);
  }

  private void train(
      String recipe, String out, ExistingRunPolicy start, StopRequest stop, String... sets) {
    List<String> all = new ArrayList<>(List.of(sets));
    all.add("output_dir=" + folder.resolve(out));
    nibble.tuner(Recipes.read(folder.resolve(recipe), all)).train(start, stop);
  }

  private void qlora(String out, String... sets) {
    List<String> all = new ArrayList<>(List.of("max_steps=4", "answer_eval="));
    all.addAll(List.of(sets));
    train(
        "qlora.yaml",
        out,
        new ExistingRunPolicy.Anew(),
        new StopRequest(),
        all.toArray(String[]::new));
  }

  private List<Double> losses(String run) throws IOException {
    return LOSS.matcher(Files.readString(folder.resolve(run).resolve("metrics.jsonl")))
        .results()
        .map(found -> Double.valueOf(found.group(1)))
        .toList();
  }

  private String kernels() {
    return events.toString();
  }

  private void assertClose(String run, String expected, double relative) throws IOException {
    List<Double> a = losses(run);
    List<Double> b = losses(expected);
    assertThat(a).hasSameSizeAs(b).isNotEmpty();
    for (int i = 0; i < a.size(); i++) {
      assertThat(a.get(i)).isCloseTo(b.get(i), within(relative * b.get(i)));
    }
  }

  @Test
  void inFloat32ItFollowsTheCpu() throws IOException {
    qlora("near", "device=cpu", "bf16=false");
    qlora("far", "device=cuda", "bf16=false", "cublas=none");
    assertClose("far", "near", 1e-5);
    assertThat(kernels()).contains("(cuda:0, PCI 0000:01:00.0), compute capability");
  }

  @Test
  void inBfloat16ItIsWithinAHundredth() throws IOException {
    qlora("exact", "device=cpu", "bf16=false");
    qlora("rounded", "device=cuda", "cublas=none");
    assertClose("rounded", "exact", 1e-2);
    try (Model model = nibble.open(ModelSource.tuned(folder.resolve("rounded")))) {
      assertThat(model.validationLoss()).isPresent();
      model.generate(new Prompt.Text("star number 3"), Sampling.greedy().upTo(4));
    }
  }

  @Test
  void anInterruptedRunGoesOnBitForBit() {
    StopRequest atOnce = new StopRequest();
    atOnce.request();
    qlora("whole", "device=cuda", "cublas=none");
    String[] sets = {"device=cuda", "cublas=none", "max_steps=4", "answer_eval="};
    train("qlora.yaml", "halves", new ExistingRunPolicy.Anew(), atOnce, sets);
    train(
        "qlora.yaml",
        "halves",
        new ExistingRunPolicy.Resume(Optional.empty()),
        new StopRequest(),
        sets);
    assertThat(folder.resolve("halves/adapter_model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("whole/adapter_model.safetensors"));
    assertThat(folder.resolve("halves/checkpoint-4/optimizer.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("whole/checkpoint-4/optimizer.safetensors"));
  }

  /** With all of the state on the device, with a part of it, and with none; stopped and resumed. */
  @Test
  void aPagedOptimizerGivesTheSameBits() throws IOException {
    String[] sets = {
      "device=cuda", "cublas=none", "answer_eval=", "max_steps=2", "lora_r=64",
    };
    qlora("resident", add(sets, "optimizer=adamw_8bit"));
    for (String memory : List.of("1GB", "200KB", "1B")) {
      String out = "paged-" + memory;
      String[] paged = add(sets, "optimizer=paged_adamw_8bit", "paged_optimizer_memory=" + memory);
      StopRequest atOnce = new StopRequest();
      atOnce.request();
      train("qlora.yaml", out, new ExistingRunPolicy.Anew(), atOnce, paged);
      train(
          "qlora.yaml",
          out,
          new ExistingRunPolicy.Resume(Optional.empty()),
          new StopRequest(),
          paged);
      for (String file :
          List.of("adapter_model.safetensors", "checkpoint-2/optimizer.safetensors")) {
        assertThat(folder.resolve(out).resolve(file))
            .hasSameBinaryContentAs(folder.resolve("resident").resolve(file));
      }
      assertThat(folder.resolve(out).resolve("optimizer.pages")).doesNotExist();
    }
  }

  private static String[] add(String[] sets, String... more) {
    return Stream.concat(Stream.of(sets), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  void aRunThatCannotFitIsRefusedBeforeItLoads() {
    Emulator.configure("memory", 256L << 20);
    try {
      assertThatThrownBy(
              () -> qlora("large", "device=cuda", "cublas=none", "micro_batch_size=20000"))
          .isInstanceOf(RecipeException.class)
          .hasMessageContainingAll(
              "are free on cuda:0", "too much", "activations", "micro_batch_size from 20000 to");
      assertThat(folder.resolve("large")).doesNotExist();
    } finally {
      Emulator.configure("memory", 4L << 30);
    }
  }

  @Test
  void theSecondDevice() {
    Emulator.configure("devices", 2);
    try {
      qlora("second", "device=cuda:1", "cublas=none", "max_steps=1");
      assertThat(kernels()).contains("Emulated GPU 1 (cuda:1, PCI 0000:02:00.0)");
      assertThat(Emulator.alive()).isZero();
    } finally {
      Emulator.configure("devices", 1);
    }
  }

  @Test
  void aDeviceThatIsNotThere() {
    assertThatThrownBy(() -> qlora("none", "device=cuda:7"))
        .hasMessageContaining("cuda:7")
        .hasMessageContaining("cuda:0 alone");
  }
}
