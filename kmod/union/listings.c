// SPDX-License-Identifier: GPL-2.0
#include "union/listings.h"

#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/magic.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "stack/creds.h"
#include "stack/upper.h"
#include "stack/variant.h"

#define MAKING ((struct shale_listing *)SHALE_LISTING_MAKING)

/* How often it is looked whether lower parts are still what they were. */
#define CHECK_EVERY HZ

/* Under the lock. */
#define MOST_SPARED 128

/* As many at once: there is little to wait for. */
#define NR_WORKERS 4

/* So many misses less, after trying in vain. */
#define DEAR (-(1 << 20))

static struct workqueue_struct *workers;

static struct shale_listing __rcu **slot_of(struct inode *dir, enum shale_listing_of of)
{
	return &shale_inode(dir)->listing[of != SHALE_LISTING_OF_LOWERS];
}

static struct shale_listings *listings_of(const struct super_block *sb)
{
	return &shale_sb(sb)->listings;
}

/* What may be kept */

/*
 * Those whose names nobody but this kernel changes, with the times of the directory, and that list
 * each name that they find. Of others one can't know.
 */
static bool is_known_fs(const struct super_block *sb)
{
	switch (sb->s_magic) {
	case BTRFS_SUPER_MAGIC:
	case EROFS_SUPER_MAGIC_V1:
	case EXT4_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case RAMFS_MAGIC:
	case SQUASHFS_MAGIC:
	case TMPFS_MAGIC:
	case XFS_SUPER_MAGIC:
		return true;
	default:
		return false;
	}
}

static bool may_be_kept(const struct shale_part *part)
{
	return is_known_fs(part->dentry->d_sb) && !IS_ENCRYPTED(d_inode(part->dentry)) &&
	       !shale_layer_in_use(part->layer);
}

bool shale_listings_keeps_lowers(struct super_block *sb, const struct shale_entry *entry)
{
	const struct shale_sb *sbi = shale_sb(sb);
	unsigned int i;

	if (sbi->layers_change || sbi->casefolded)
		return false;
	for (i = 0; i < shale_entry_nr_lower(entry); i++) {
		if (!may_be_kept(&entry->lower->part[i]))
			return false;
	}
	return true;
}

/*
 * Two changes within the granularity of times can't be told apart: that of the kernel's clock, or
 * of what is on disk.
 */
static bool may_change_unseen(const struct inode *inode, const struct timespec64 *now)
{
	struct timespec64 ctime = inode_get_ctime(inode);
	s64 granularity = max_t(s64, inode->i_sb->s_time_gran, 2 * TICK_NSEC);

	if (!ctime.tv_nsec)
		granularity = 2LL * NSEC_PER_SEC;	/* FAT's */
	return abs(timespec64_to_ns(now) - timespec64_to_ns(&ctime)) <= granularity;
}

/* A number that depends on all that was mixed so far. Nobody can choose a change's time. */
static u64 mix(u64 so_far, u64 value)
{
	return (rol64(so_far, 27) ^ value) * GOLDEN_RATIO_64;
}

/* What changes with any change of names in a directory. */
static u64 stamp_of(const struct shale_entry *entry)
{
	u64 stamp = 0;
	unsigned int i;

	for (i = 0; i < shale_entry_nr_lower(entry); i++) {
		const struct inode *inode = d_inode(entry->lower->part[i].dentry);
		struct timespec64 ctime = inode_get_ctime(inode), mtime = inode_get_mtime(inode);

		stamp = mix(stamp, ctime.tv_sec);
		stamp = mix(stamp, mtime.tv_sec);
		stamp = mix(stamp, ((u64)ctime.tv_nsec << 32) | mtime.tv_nsec);
		stamp = mix(stamp, i_size_read(inode));
	}
	return stamp;
}

/* Is a part so young that the next change might not be seen? To be asked after the stamp. */
static bool is_young(const struct shale_entry *entry)
{
	struct timespec64 now;
	bool young = false;
	unsigned int i;

	ktime_get_real_ts64(&now);
	for (i = 0; i < shale_entry_nr_lower(entry); i++)
		young |= may_change_unseen(d_inode(entry->lower->part[i].dentry), &now);
	return young;
}

static bool still_holds(struct shale_listing *listing, struct super_block *sb,
			const struct shale_entry *entry)
{
	if (listing->of == SHALE_LISTING_OF_UPPER)
		return true;
	if (!time_after(jiffies, READ_ONCE(listing->checked) + CHECK_EVERY))
		return true;
	WRITE_ONCE(listing->checked, jiffies);
	if (listing->young)
		return false;
	if (listing->of == SHALE_LISTING_OF_LOWERS && !shale_listings_keeps_lowers(sb, entry))
		return false;
	return listing->stamp == stamp_of(entry);
}

/* Does anything change when a key comes or goes? */
static bool depends_on_keys(const struct shale_entry *entry, enum shale_listing_of of)
{
	unsigned int i;

	if (entry->upper && IS_ENCRYPTED(d_inode(entry->upper)))
		return true;
	if (of != SHALE_LISTING_OF_ALL)
		return false;
	for (i = 0; i < shale_entry_nr_lower(entry); i++) {
		if (IS_ENCRYPTED(d_inode(entry->lower->part[i].dentry)))
			return true;
	}
	return false;
}

/* Slots */

static u64 dir_version(const struct inode *dir)
{
	return atomic64_read(&dir->i_version);
}

/* Does it say what the directory shows, as far as that is changed by way of us? */
static bool is_current(const struct shale_listing *listing, const struct inode *dir)
{
	return listing->of == SHALE_LISTING_OF_LOWERS || listing->version == dir_version(dir);
}

/* Was it made when the directory stood on the upper, if it does? */
static bool has_upper_of(const struct shale_listing *listing, const struct shale_entry *entry)
{
	return listing->of == SHALE_LISTING_OF_LOWERS || listing->has_upper == !!entry->upper;
}

/* Return: what is in a slot, with a reference; or NULL. */
static struct shale_listing *look_into(struct shale_listing __rcu **slot)
{
	struct shale_listing *listing;

	guard(rcu)();
	listing = rcu_dereference(*slot);
	if (!listing || listing == MAKING || !refcount_inc_not_zero(&listing->ref))
		return NULL;
	return listing;
}

/*
 * Out of its slot and the list, under the lock. Return: whether it was in there; then its
 * reference is the caller's.
 */
static bool take_out(struct shale_listings *all, struct shale_listing *listing)
{
	lockdep_assert_held(&all->lock);
	if (list_empty(&listing->link))
		return false;
	RCU_INIT_POINTER(*listing->slot, NULL);
	list_del_init(&listing->link);
	all->nr -= listing->nr + 1;
	all->nr_lists--;
	all->bytes -= listing->bytes;
	return true;
}

static void drop(struct shale_listings *all, struct shale_listing *listing)
{
	bool taken;

	scoped_guard(spinlock, &all->lock)
		taken = take_out(all, listing);
	if (taken)
		shale_listing_put(listing);
}

static struct shale_listing *known(struct inode *dir, const struct shale_entry *entry,
				   enum shale_listing_of of)
{
	struct shale_listing *listing = look_into(slot_of(dir, of));

	if (!listing)
		return NULL;
	if (listing->of == of && has_upper_of(listing, entry) && is_current(listing, dir) &&
	    still_holds(listing, dir->i_sb, entry)) {
		if (!READ_ONCE(listing->used))
			WRITE_ONCE(listing->used, true);
		return listing;
	}
	drop(listings_of(dir->i_sb), listing);
	shale_listing_put(listing);
	return NULL;
}

struct shale_listing *shale_listings_look(struct inode *dir, const struct shale_entry *entry)
{
	return known(dir, entry, SHALE_LISTING_OF_LOWERS);
}

/* Making one */

/* Return: whether it is now the caller's to make what belongs into an empty slot. */
static bool begin_making(struct shale_listings *all, struct shale_listing __rcu **slot)
{
	bool empty;

	spin_lock(&all->lock);
	empty = !rcu_access_pointer(*slot);
	if (empty)
		rcu_assign_pointer(*slot, MAKING);
	spin_unlock(&all->lock);
	return empty;
}

/* @listing: what was made, to be kept with a reference of its own; or ERR_PTR */
static void end_making(struct shale_listings *all, struct shale_listing __rcu **slot,
		       struct shale_listing *listing)
{
	scoped_guard(spinlock, &all->lock) {
		if (IS_ERR(listing)) {
			RCU_INIT_POINTER(*slot, NULL);
		} else {
			refcount_inc(&listing->ref);
			listing->slot = slot;
			list_add_tail(&listing->link, &all->list);
			all->nr += listing->nr + 1;
			all->nr_lists++;
			all->bytes += listing->bytes;
			rcu_assign_pointer(*slot, listing);
		}
	}
	/* Either we see who waits, or he sees what we have stored. */
	smp_mb();
	wake_up_var(slot);
}

static struct shale_listing *make(struct inode *dir, const struct shale_entry *entry,
				  enum shale_listing_of of)
{
	u64 version = dir_version(dir), stamp = 0;
	struct shale_listing *listing;
	bool young = false;

	/* Before anything is read: what changes meanwhile is to be noticed. */
	if (of != SHALE_LISTING_OF_UPPER) {
		stamp = stamp_of(entry);
		young = is_young(entry);
	}
	listing = shale_listing_make(dir->i_sb, entry, of);
	if (!IS_ERR(listing)) {
		listing->version = version;
		listing->stamp = stamp;
		listing->young = young;
		listing->checked = jiffies;
	}
	/* The next one has to be worth it again; after trying in vain, much more so. */
	if (of == SHALE_LISTING_OF_LOWERS && listing != ERR_PTR(-EINTR))
		atomic_set(&shale_inode(dir)->misses, IS_ERR(listing) ? DEAR : 0);
	return listing;
}

struct shale_listing *shale_listings_get(struct inode *dir, const struct shale_entry *entry,
					 enum shale_listing_of of)
{
	struct shale_listings *all = listings_of(dir->i_sb);
	struct shale_listing __rcu **slot = slot_of(dir, of);
	struct shale_listing *listing;

	/* What may change at any time, is read whenever it is wanted. */
	if (shale_sb(dir->i_sb)->layers_change || depends_on_keys(entry, of))
		return make(dir, entry, of);

	while (!(listing = known(dir, entry, of)) && !begin_making(all, slot)) {
		if (wait_var_event_killable(slot, rcu_access_pointer(*slot) != MAKING))
			return ERR_PTR(-EINTR);
	}
	if (!listing) {
		listing = make(dir, entry, of);
		end_making(all, slot, listing);
	}
	return listing;
}

/* Making one in the background */

struct job {
	struct work_struct work;
	struct inode *dir;		/* counted */
	struct mem_cgroup *memcg;	/* counted: of whoever made it worth it */
};

/*
 * The slot is taken no earlier than now: whoever waits for it must wait for one that is at work,
 * and not for a place in the queue, which jobs may hold that wait themselves, for those of a
 * mount below.
 */
static void make_in_background(struct inode *dir)
{
	struct shale_listings *all = listings_of(dir->i_sb);
	struct shale_listing __rcu **slot = slot_of(dir, SHALE_LISTING_OF_LOWERS);
	struct shale_entry *entry __free(shale_entry) = shale_entry_get(dir);
	struct shale_listing *listing;

	if (!shale_listings_keeps_lowers(dir->i_sb, entry) || !begin_making(all, slot))
		return;

	CLASS(shale_mounter, cred)(dir->i_sb);

	listing = make(dir, entry, SHALE_LISTING_OF_LOWERS);
	end_making(all, slot, listing);
	shale_listing_put(listing);
}

static void do_job(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);
	struct shale_listings *all = listings_of(job->dir->i_sb);
	struct mem_cgroup *memcg = set_active_memcg(job->memcg);

	make_in_background(job->dir);
	set_active_memcg(memcg);
	mem_cgroup_put(job->memcg);
	iput(job->dir);
	kfree(job);
	/* Unmounting goes on then, and frees what this points to; only its address counts. */
	if (atomic_dec_and_test(&all->nr_jobs))
		wake_up_var(&all->nr_jobs);
}

static void start_job(struct inode *dir)
{
	struct shale_listings *all = listings_of(dir->i_sb);
	struct job *job = kmalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return;
	INIT_WORK(&job->work, do_job);
	ihold(dir);
	job->dir = dir;
	job->memcg = get_mem_cgroup_from_mm(current->mm);
	atomic_inc(&all->nr_jobs);
	queue_work(workers, &job->work);
}

/*
 * What it costs to read the lower parts, in look-ups in them: opening one is worth some, and one
 * finds its name in the time in which a few are read. Directories are as large as a block, or
 * have some bytes per name.
 */
static int price_of(const struct shale_entry *entry)
{
	u64 price = 0;
	unsigned int i;

	for (i = 0; i < shale_entry_nr_lower(entry); i++) {
		loff_t size = i_size_read(d_inode(entry->lower->part[i].dentry));

		price += 8 + (size > 4096 ? size / 128 : 0);
	}
	return min_t(u64, price, S32_MAX / 2);
}

/* It is looked at when the number of misses has one more bit. One layer is asked as fast. */
void shale_listings_missed(struct inode *dir, const struct shale_entry *entry, unsigned int nr)
{
	int misses;

	if (shale_entry_nr_lower(entry) < 2)
		return;
	misses = atomic_add_return(nr, &shale_inode(dir)->misses);
	if (fls(misses) == fls(misses - nr) || misses < price_of(entry))
		return;
	if (shale_listings_keeps_lowers(dir->i_sb, entry))
		start_job(dir);
}

/* Forgetting */

long shale_listings_count(struct super_block *sb)
{
	return READ_ONCE(listings_of(sb)->nr);
}

/* Takes out the oldest that was not used since it was last looked at; not for long. */
static struct shale_listing *take_oldest(struct shale_listings *all)
{
	struct shale_listing *oldest;
	int spared;

	spin_lock(&all->lock);
	oldest = list_first_entry_or_null(&all->list, struct shale_listing, link);
	for (spared = 0; oldest && oldest->used && spared < MOST_SPARED; spared++) {
		oldest->used = false;
		list_move_tail(&oldest->link, &all->list);
		oldest = list_first_entry(&all->list, struct shale_listing, link);
	}
	if (oldest)
		take_out(all, oldest);
	spin_unlock(&all->lock);
	return oldest;
}

/* A listing goes whole: small wishes are added up until they are worth one. */
long shale_listings_shrink(struct super_block *sb, unsigned long nr)
{
	struct shale_listings *all = listings_of(sb);
	struct shale_listing *listing;
	long freed = 0;

	scoped_guard(spinlock, &all->lock) {
		listing = list_first_entry_or_null(&all->list, struct shale_listing, link);
		all->wanted += nr;
		if (!listing || all->wanted < listing->nr / 8)
			return 0;
		nr = all->wanted;
		all->wanted = 0;
	}
	while (freed < nr && (listing = take_oldest(all))) {
		freed += listing->nr + 1;
		shale_listing_put(listing);
		cond_resched();
	}
	return freed;
}

void shale_listings_forget(struct inode *dir)
{
	struct shale_listing *listing;
	int i;

	for (i = 0; i < ARRAY_SIZE(shale_inode(dir)->listing); i++) {
		listing = look_into(&shale_inode(dir)->listing[i]);
		if (!listing)
			continue;
		drop(listings_of(dir->i_sb), listing);
		shale_listing_put(listing);
	}
}

void shale_listings_begin(struct shale_listings *all)
{
	spin_lock_init(&all->lock);
	INIT_LIST_HEAD(&all->list);
}

void shale_listings_end(struct super_block *sb)
{
	struct shale_listings *all = listings_of(sb);

	WRITE_ONCE(all->closing, true);
	wait_var_event(&all->nr_jobs, !atomic_read(&all->nr_jobs));
}

int shale_listings_init(void)
{
	workers = alloc_workqueue(SHALE_NAME "_listings", WQ_UNBOUND, NR_WORKERS);
	return workers ? 0 : -ENOMEM;
}

void shale_listings_exit(void)
{
	destroy_workqueue(workers);
}
