//! Making use of the whole card: the file system grows now, by offset; the table is planned in memory and written at
//! commit (WR-4, WR-5).

use crate::domain::ext4::Ext4;
use crate::domain::layout::{GrowPlan, Partition};
use crate::domain::size::{Bytes, SECTOR};
use crate::host::{Claim, ToolAnswer, ToolCall};

use super::Work;
use super::blank::read;
use super::card::layout_on;
use super::error::CardError;

/// The label that Home Assistant OS mounts its data partition by.
const LABEL: &str = "hassos-data";

/// Returns the planned table.
pub(super) fn grow(
    claim: &dyn Claim,
    head: &[u8],
    image_size: u64,
    size: Bytes,
    work: &Work,
) -> Result<GrowPlan, CardError> {
    claim.shut_out().map_err(CardError::Flush)?;
    let layout = layout_on(claim, head, image_size)?;
    let plan = GrowPlan::new(&layout, head, size.sectors()).map_err(CardError::Plan)?;
    let before = superblock(claim, &plan.data_before)?;
    refuse_unfit(&before, &plan.data_before)?;
    work.go_on()?;
    claim.admit_tools().map_err(CardError::Flush)?;
    let offset = plan.data_before.start * SECTOR;
    repair(claim, offset, work)?;
    resize(claim, &plan, &before, work)?;
    claim.shut_out().map_err(CardError::Flush)?;
    let after = superblock(claim, &plan.data_after)?;
    compare(&before, &after, &plan.data_after)?;
    Ok(plan)
}

/// The superblock of a partition's ext4, read from the card.
pub(super) fn superblock(claim: &dyn Claim, partition: &Partition) -> Result<Ext4, CardError> {
    let mut bytes = [0; 1024];
    read(claim, partition.start * SECTOR + 1024, &mut bytes)?;
    Ext4::parse(&bytes).ok_or_else(|| CardError::Data("holds no ext4 file system".into()))
}

/// An image whose data partition is not what Home Assistant OS ships is refused, never repaired into something.
fn refuse_unfit(fs: &Ext4, partition: &Partition) -> Result<(), CardError> {
    let unfit = |what: String| Err(CardError::Data(what));
    if fs.label != LABEL {
        return unfit(format!("has the label {:?} instead of {LABEL:?}", fs.label));
    }
    if !fs.is_clean {
        return unfit("was not closed cleanly".into());
    }
    match fs.size() <= partition.size() {
        true => Ok(()),
        false => unfit("is smaller than its file system".into()),
    }
}

/// `resize2fs` wants a check before it; a file system that really needed repair came damaged with the image.
fn repair(claim: &dyn Claim, offset: u64, work: &Work) -> Result<(), CardError> {
    let answer = tool(claim, &ToolCall::Repair { offset }, work)?;
    match answer.code {
        0 => Ok(()),
        1 if only_the_clock(&answer.output) => Ok(()),
        1.. => {
            log::warn!("e2fsck on the image's data partition: {}", answer.output.trim());
            Err(CardError::Data("is damaged".into()))
        }
        code => Err(CardError::tool_said("e2fsck", code, &answer.output)),
    }
}

/// A board without a clock of its own finds times "in the future" in a good file system; `e2fsck` names those too.
pub(super) fn only_the_clock(output: &str) -> bool {
    let named = output.matches("? yes").count() + output.matches("? no").count();
    named > 0 && named == output.matches("is in the future").count()
}

fn resize(claim: &dyn Claim, plan: &GrowPlan, before: &Ext4, work: &Work) -> Result<(), CardError> {
    let offset = plan.data_after.start * SECTOR;
    let blocks = before.blocks_for(plan.data_after.size());
    let answer = tool(claim, &ToolCall::Resize { offset, blocks }, work)?;
    match answer.code {
        0 => Ok(()),
        code => Err(CardError::tool_said("resize2fs", code, &answer.output)),
    }
}

pub(super) fn tool(claim: &dyn Claim, call: &ToolCall<'_>, work: &Work) -> Result<ToolAnswer, CardError> {
    work.go_on()?;
    claim.tool(call, &work.stop).map_err(|error| match error {
        crate::host::HostError::Stopped => CardError::Stopped,
        other => CardError::Tool(other),
    })
}

/// What `resize2fs` said is not enough: the superblock on the card has to say it too.
fn compare(before: &Ext4, after: &Ext4, partition: &Partition) -> Result<(), CardError> {
    let wrong = |what: &str| Err(CardError::LastCheck(format!("the grown file system {what}")));
    if (&after.label, after.uuid, after.block_size) != (&before.label, before.uuid, before.block_size) {
        return wrong("has another label, UUID or block size");
    }
    if !after.is_clean {
        return wrong("is not clean");
    }
    if !after.fills(partition.size()) {
        return wrong("does not fill its partition");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_the_future_are_told_from_damage() {
        let cases = [
            ("Superblock last mount time is in the future.\n\t(by more than a day)  Fix? yes\n", true),
            ("Superblock last mount time is in the future. Fix? yes\nFree blocks count wrong. Fix? yes\n", false),
            ("Superblock last write time is in the future.\n\t(by less than a day)  Fix? no\n", true),
            ("Free blocks count wrong (3, counted=4).\nFix? yes\n", false),
            ("", false),
        ];
        for (output, want) in cases {
            assert_eq!(only_the_clock(output), want, "{output}");
        }
    }
}
