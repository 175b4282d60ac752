package dev.nibble.cli.report;

import dev.nibble.api.text.Human;
import dev.nibble.cli.terminal.Console;
import dev.nibble.cli.terminal.Table;
import dev.nibble.compute.kernels.KernelTimes;
import dev.nibble.compute.kernels.KernelTimes.KernelTime;
import dev.nibble.compute.kernels.Roofline;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Times of kernels as a table. */
public final class KernelTable {
  private static final int MOST = 40;

  private KernelTable() {}

  /** Writes the table of some steps: the kernels that take the most time, and all others in one. */
  public static void write(KernelTimes times, long steps, Roofline peak, Console console) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("kernel", "calls", "ms", "of step", "GB/s", "TFLOP/s", "of peak"));
    List<KernelTime> kernels = times.kernels();
    kernels.stream().limit(MOST).forEach(k -> rows.add(row(k, times.seconds(), steps, peak)));
    double others = kernels.stream().skip(MOST).mapToDouble(KernelTime::seconds).sum();
    if (kernels.size() > MOST) {
      rows.add(rest(kernels.size() - MOST + " others", others, times.seconds(), steps));
    }
    rows.add(rest("gaps", times.gaps(), times.seconds(), steps));
    rows.add(rest("step", times.seconds(), times.seconds(), steps));
    new Table(rows, 1).write(console);
    console.sentence(
        "  calls and ms: of a step. [N, n, k]: a product of [N, k] and [k, n] for N tokens. GB/s: bytes of the operands, each counted once; caches hold some. Of peak: of %s GB/s or %s TFLOP/s, whichever binds, as measured here"
            .formatted(giga(peak.bytes()), tera(peak.operations())));
  }

  private static List<String> row(KernelTime k, double all, long steps, Roofline peak) {
    return List.of(
        k.name(),
        Human.count(Math.round((double) k.calls() / steps)),
        milliseconds(k.seconds(), steps),
        Human.percent(k.seconds() / all),
        giga(k.bytes() / k.seconds()),
        k.operations() == 0 ? "" : tera(k.operations() / k.seconds()),
        Human.percent(k.share(peak)));
  }

  private static List<String> rest(String name, double seconds, double all, long steps) {
    return List.of(
        name,
        "",
        milliseconds(seconds, steps),
        Human.percent(all == 0 ? 0 : seconds / all),
        "",
        "",
        "");
  }

  private static String milliseconds(double seconds, long steps) {
    return String.format(Locale.ROOT, "%.2f", seconds / steps * 1e3);
  }

  private static String giga(double rate) {
    return String.format(Locale.ROOT, "%.1f", rate / 1e9);
  }

  private static String tera(double rate) {
    return String.format(Locale.ROOT, "%.3f", rate / 1e12);
  }
}
