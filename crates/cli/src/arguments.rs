//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cluster::{ComputeArguments, RunnerArguments, SlurmArguments};
use crate::options::OptionArguments;
use crate::run::{ProgressKind, RunArguments};
use crate::task::{ManifestArguments, TaskArguments};

/// Turns microscope acquisitions into OME-Zarr.
///
/// An acquisition is a folder with image files, a table `tiles.csv` that says where on the stage each file was taken, and a file
/// `acquisition_details.toml` with the pixel size and the channels. `ome-zarr-convert convert` stitches the files of each well
/// into one image with a pyramid of resolutions, ready for viewers and analysis.
#[derive(Parser, Debug)]
#[command(name = "ome-zarr-convert", version, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Convert an acquisition: everything in one go.
    #[command(after_long_help = CONVERT_HELP)]
    Convert(ConvertArguments),
    /// Only set the outputs up, and write the list of images to convert (for clusters).
    #[command(after_long_help = INIT_HELP)]
    Init(InitArguments),
    /// Convert one image of a list that `init` wrote, or all of them (for clusters).
    Compute(ComputeArguments),
    /// Write a job script that converts the images of a list on a SLURM cluster.
    #[command(after_long_help = SLURM_HELP)]
    Slurm(SlurmArguments),
    /// Say what a conversion will cost, before anything is written: files, bytes, memory, bad files, overlaps.
    Plan(PlanArguments),
    /// Check the pixels of an image or plate: every chunk decodes, every level is the halving of the one above.
    #[command(after_long_help = VERIFY_HELP)]
    Verify(VerifyArguments),
    /// Say what an OME-Zarr plate, well or image holds, whoever wrote it.
    #[command(after_long_help = INSPECT_HELP)]
    Inspect(InspectArguments),
    /// Print the options of a conversion: their reference page, JSON schema or defaults.
    Options(OptionsArguments),
    /// Run one of our Fractal tasks, as the platform calls it.
    Task(TaskArguments),
    /// Print the manifest of our Fractal tasks.
    Manifest(ManifestArguments),
}

impl Command {
    /// Whether a program reads its progress.
    pub fn speaks_json(&self) -> bool {
        let progress = match self {
            Self::Convert(convert) => convert.progress,
            Self::Compute(compute) => compute.progress,
            _ => ProgressKind::Auto,
        };
        progress == ProgressKind::Json
    }
}

const CONVERT_HELP: &str = "\
The folder:
  my_plate/
    acquisition_details.toml    xy_pixel_size = 0.65      (micrometers)
                                z_spacing = 5.0           (micrometers)
                                channel_names = [\"DAPI\", \"GFP\"]
    tiles.csv                   one row per image file:
                                file_path, row, column, fov_name, start_x, start_y, start_z, start_c, length_x, length_y
    data/*.tif                  the files; they may also lie beside the table

  Starts are stage positions in micrometers, lengths are in pixels (the acquisition file can say otherwise).
  start_z, start_c, start_t and the lengths may be left out. Further columns (drug, dose ...) become conditions.
  For images that are not part of a plate, use `--collection image` and a column image_path instead of row and column.
  What the table and the acquisition file leave out (pixel size, channels, sizes, positions) is taken from the image files.
  A folder of image files without a table is read by their names, and so is an image file: see --pattern and --write-table.

Examples:
  ome-zarr-convert convert my_plate --zarr-dir out
  ome-zarr-convert convert embryo.ome.tif --zarr-dir out
  ome-zarr-convert plan my_images --zarr-dir out --write-table my_images/tiles.csv
  ome-zarr-convert convert my_plate --zarr-dir out --overwrite replace --options options.json

Exit codes: 0 done; 2 the command or the input has to change (also a damaged image file); 1 anything else, such as a full disk.";

const INIT_HELP: &str = "\
Then convert the images of the list in any order, on any machine that sees the same folders:
  ome-zarr-convert compute --list LIST.json --index 0
  ...";

const SLURM_HELP: &str = "\
Example:
  ome-zarr-convert init my_plate --zarr-dir /shared/out --out /shared/list.json
  ome-zarr-convert slurm --list /shared/list.json --out convert.sh --sbatch=--partition=short
  sbatch convert.sh";

const VERIFY_HELP: &str = "\
With --against, the finest level must equal the image files that it was made from.
Exit codes: 0 all is well, 1 something is wrong (each bad chunk is named), 2 the folder is not an OME-Zarr.";

const INSPECT_HELP: &str = "\
Exit codes: 0 all is there, 1 something listed is missing or broken, 2 the folder is not an OME-Zarr.";

/// Which acquisition, to where, how.
#[derive(Args, Debug)]
pub struct RequestArguments {
    /// Folder of the acquisition: tiles.csv, acquisition_details.toml, and the image files in it or in its data/. Also a table, a
    /// folder of image files without one, or an image file.
    pub acquisition: PathBuf,
    /// Folder to write into. It is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub zarr_dir: String,
    /// Name of the plate [default: the name of the acquisition's folder].
    #[arg(long, value_name = "NAME")]
    pub plate: Option<String>,
    /// Number of this acquisition within the plate [default: 0].
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub acquisition_id: Option<u32>,
    /// Whether the images are wells of a plate, or images on their own [default: plate; without a table, what the file names say].
    #[arg(long, value_enum)]
    pub collection: Option<Collection>,
    /// Without a table: how the paths of the image files below the folder are read, in words such as `{well}_s{field}_{channel}`
    /// (plate, well or row and column, field, channel, z, t, image; others become columns; `*` is any text), or as a regular
    /// expression with named groups such as `(?<well>[A-P]\d+)`. Common patterns are tried if it is left out.
    #[arg(long, value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// Without a table: save the one that the file names make, and acquisition_details.toml beside it, to correct and convert it.
    #[arg(long, value_name = "FILE.csv")]
    pub write_table: Option<PathBuf>,
    /// What to do when the output exists: fail, replace it, or add what is missing.
    #[arg(long, value_enum, default_value_t = Overwrite::No)]
    pub overwrite: Overwrite,
    /// Number of threads [default: the processors that this process may use].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// How to convert.
    #[command(flatten)]
    pub options: OptionArguments,
}

/// Arguments of `convert`.
#[derive(Args, Debug)]
pub struct ConvertArguments {
    /// Which acquisition, to where, how.
    #[command(flatten)]
    pub request: RequestArguments,
    /// How the conversion runs.
    #[command(flatten)]
    pub run: RunArguments,
    /// How images are run.
    #[command(flatten)]
    pub runner: RunnerArguments,
    /// How progress is shown.
    #[arg(long, value_enum, default_value_t = ProgressKind::Auto)]
    pub progress: ProgressKind,
    /// File to write the summary to, as JSON.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub struct PlanArguments {
    /// Which acquisition, to where, how.
    #[command(flatten)]
    pub request: RequestArguments,
    /// How the conversion would run.
    #[command(flatten)]
    pub run: RunArguments,
    /// How images would be run.
    #[command(flatten)]
    pub runner: RunnerArguments,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub struct VerifyArguments {
    /// An image, a plate, or a folder that holds some.
    pub path: PathBuf,
    /// The parallelization list that the images were made from.
    #[arg(long, value_name = "LIST.json")]
    pub against: Option<PathBuf>,
    /// Folder of relative file paths in the list.
    #[arg(long, value_name = "DIR", requires = "against")]
    pub resource: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Number of threads [default: the processors that this process may use].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct InitArguments {
    /// Which acquisition, to where, how.
    #[command(flatten)]
    pub request: RequestArguments,
    /// File to write the parallelization list to.
    #[arg(long, value_name = "LIST.json", help_heading = None)]
    pub out: PathBuf,
}

/// Arguments of `inspect`.
#[derive(Args, Debug)]
pub struct InspectArguments {
    /// Folder of a plate, a well or an image, OME-NGFF 0.4 or 0.5.
    pub path: PathBuf,
    /// Print a JSON document instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `options`.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct OptionsArguments {
    /// Print the JSON schema of ConverterOptions and AcquisitionOptions.
    #[arg(long)]
    pub schema: bool,
    /// Print both documents with nothing but defaults.
    #[arg(long)]
    pub defaults: bool,
    /// Print the reference page [default].
    #[arg(long)]
    pub markdown: bool,
}

/// The compute task: converts the image of one entry of a parallelization list.
#[derive(Parser, Debug)]
#[command(name = "ome-zarr-compute", version, max_term_width = 100)]
pub struct ComputeTask {
    /// JSON file with the arguments: `{"zarr_url": ..., "init_args": ...}`.
    #[arg(long, short = 'j', value_name = "FILE")]
    pub args_json: PathBuf,
    /// JSON file to write the image list update to; it must not exist yet.
    #[arg(long, alias = "metadata-out", value_name = "FILE")]
    pub out_json: PathBuf,
}

/// Plate or single images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Collection {
    /// Wells of a plate (columns row and column).
    Plate,
    /// Images on their own (column image_path).
    Image,
}

/// What to do with an output that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Overwrite {
    /// Fail.
    No,
    /// Replace it when the new one is complete. The same image from the same files, complete, is kept.
    Replace,
    /// Keep complete images and add what is missing.
    Extend,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_words_are_consistent() {
        Arguments::command().debug_assert();
        ComputeTask::command().debug_assert();
    }
}
