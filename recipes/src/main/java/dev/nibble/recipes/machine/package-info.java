/** What the machine has: memory, processor, disks. */
@NullMarked
package dev.nibble.recipes.machine;

import org.jspecify.annotations.NullMarked;
